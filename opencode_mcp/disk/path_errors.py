"""Errors of paths: checks of a name before it is used, and translation of the system's errors.

Every access to a path that a caller named happens inside ``path_errors``, so no ``OSError`` or ``ValueError`` of a path
reaches a caller unchanged.
"""

import errno
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from opencode_mcp.errors import BackendFailed, BridgeError, InvalidArgument, NotAllowed, NotFound

LONGEST_NAME_BYTES = 255
"""Longest component of a path that file systems accept, in bytes."""
LONGEST_PATH_BYTES = 4096
"""Longest path that systems accept, in bytes."""
SEPARATORS = "/\\" if sys.platform == "win32" else "/"

MISSING = "does not exist"
CAUSES: Mapping[int, tuple[type[BridgeError], str]] = {
    errno.ENOENT: (NotFound, MISSING),
    errno.ENOTDIR: (NotFound, "does not exist: a part of the path is a file, not a folder"),
    errno.EACCES: (NotAllowed, "cannot be read: the file system refuses access"),
    errno.EPERM: (NotAllowed, "cannot be read: the file system refuses the operation"),
    errno.ELOOP: (NotFound, "cannot be resolved: its links form a circle, or it contains a link where none is allowed"),
    errno.ENAMETOOLONG: (InvalidArgument, "is too long for the file system"),
    errno.EINVAL: (InvalidArgument, "is not a valid path"),
    errno.EILSEQ: (InvalidArgument, "is not a valid path: the file system cannot encode it"),
    errno.EISDIR: (InvalidArgument, "is a folder"),
    errno.ENXIO: (InvalidArgument, "is a pipe, a socket or a device"),
    errno.ENODEV: (InvalidArgument, "is a pipe, a socket or a device"),
    errno.EMFILE: (BackendFailed, "cannot be read now: this MCP server has too many files open; call again"),
    errno.ENFILE: (BackendFailed, "cannot be read now: the system has too many files open; call again"),
}
"""Texts for the common errors of paths; all others are reported with the system's message."""
HINTS: Mapping[type[BridgeError], str] = {
    NotAllowed: "The user who runs this MCP server can change the permissions of the file or folder.",
    InvalidArgument: "Give the path of a file or folder of the project.",
}


def check_path_text(name: str, what: str) -> None:
    """Refuse a path that no file system accepts; the path need not exist.

    Args:
        name: The path.
        what: Name of the argument in the error's text, such as "The path".

    Raises:
        InvalidArgument: It contains a NUL or half of a surrogate pair, or it or a component of it is too long.
    """
    check_text(name, what)
    encoded = name.encode()
    if len(encoded) > LONGEST_PATH_BYTES:
        raise InvalidArgument(
            f"{what} {shortened(name)} is too long: {len(encoded):,} bytes.",
            hint=f"A path has {LONGEST_PATH_BYTES:,} at most.",
        )
    longest = max((len(part) for part in _parts(encoded)), default=0)
    if longest > LONGEST_NAME_BYTES:
        raise InvalidArgument(
            f"{what} {shortened(name)} has a part of {longest:,} bytes.",
            hint=f"The name of a file or folder has {LONGEST_NAME_BYTES} at most.",
        )


def check_text(text: str, what: str) -> None:
    """Refuse a text that neither a file system nor another process accepts.

    Raises:
        InvalidArgument: It contains a NUL or half of a surrogate pair.
    """
    if "\0" in text:
        raise InvalidArgument(f"{what} {shortened(text)} holds a NUL character.", hint="Leave it out.")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidArgument(
            f"{what} {shortened(text)} holds half of a surrogate pair, which is not a character.",
            hint="Give the whole character, or find the file with a glob.",
        )


def shortened(name: str) -> str:
    """Return a name for an error's text: quoted, and not longer than a line."""
    return repr(name if len(name) <= LONGEST_NAME_BYTES else f"{name[:60]}…{name[-20:]}")


@contextmanager
def path_errors(name: str) -> Generator[None]:
    """Translate errors of a path inside the block into errors with their real cause.

    Args:
        name: The path as the caller knows it.

    Raises:
        BridgeError: As ``path_error`` returns it.
    """
    try:
        yield
    except (OSError, ValueError) as error:
        raise path_error(error, name) from error


def path_error(error: OSError | ValueError, name: str) -> BridgeError:
    """Return the error for a failure of the system at a path, with its real cause."""
    shown = shortened(name)
    if not isinstance(error, OSError):
        # For instance a NUL, or a character that the file system's encoding lacks.
        return InvalidArgument(f"{shown} is not a valid path: {error}.", hint=HINTS[InvalidArgument])
    kind, cause = CAUSES.get(error.errno or 0, (BackendFailed, ""))
    reason = error.strerror or type(error).__name__
    problem = f"{cause} ({reason})" if cause and cause != MISSING else cause or f"cannot be read: {reason}"
    return kind(f"{shown} {problem}.", hint=HINTS.get(kind, ""))


def _parts(encoded: bytes) -> list[bytes]:
    for separator in SEPARATORS.encode()[1:]:
        encoded = encoded.replace(bytes([separator]), b"/")
    return encoded.split(b"/")
