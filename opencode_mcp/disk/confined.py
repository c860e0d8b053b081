"""Open files and folders of a project so that no link leads out of it, even if the disk changes meanwhile.

A path that was checked can be replaced by a link before it is opened. So each component is opened by itself, relative
to the folder that was opened before it, and none may be a link: the opened file is then inside the project. The paths
are already resolved, so a link in one of them was created after the check. If the system has no such calls (Windows),
the path is resolved again once it is open, and must still lead to the opened file.
"""

import errno
import os
import stat
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from opencode_mcp.disk.path_errors import path_errors, shortened
from opencode_mcp.errors import InvalidArgument, NotFound

STEPWISE = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
"""True if the system can open a name relative to an open folder."""
FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
# A pipe without a writer would block its reader.
FILE = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
OPEN_FOLDERS = Path("/proc/self/fd") if sys.platform == "linux" else None
"""Folder in which a process finds its open folders by path; other systems have none."""
KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def open_file(project: str, path: str) -> int:
    """Open a regular file for reading; the caller closes the descriptor.

    Args:
        project: Absolute path of the project, resolved.
        path: Path of the file, relative to the project, resolved, with slashes.

    Raises:
        NotFound: The path does not exist, is a folder, or has become a link.
        InvalidArgument: It is a pipe, a socket or a device; those are never read.
        NotAllowed: The file system refuses access.
        BackendFailed: It cannot be read for another reason.
    """
    with path_errors(path):
        descriptor = _open(project, path, FILE)
        try:
            _check_regular(os.fstat(descriptor), path)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor


@contextmanager
def working_folder(project: str, folder: str) -> Generator[str]:
    """Yield a path under which a new process finds the opened folder of a project, even if the folder is replaced.

    If the system has no such path, it is the folder's own; then a replacement between the check and the start of the
    process goes unnoticed.
    """
    with _opened_folder(project, folder) as place:
        yield str(OPEN_FOLDERS / str(place)) if OPEN_FOLDERS and isinstance(place, int) else str(Path(project, folder))


def list_folder(project: str, folder: str) -> dict[str, bool]:
    """Return the names in a folder, each with True for a folder; links, pipes, sockets and devices are left out.

    Raises:
        BridgeError: As ``open_file``.
    """
    with _opened_folder(project, folder) as place, path_errors(folder), os.scandir(place) as entries:
        return _kinds(entries)


def list_small_folder(project: str, folder: str, most: int) -> dict[str, bool] | None:
    """Return the same for a folder of at most so many entries; None for a larger one.

    Raises:
        BridgeError: As ``open_file``.
    """
    with _opened_folder(project, folder) as place, path_errors(folder), os.scandir(place) as entries:
        first = list(islice(entries, most + 1))
        return _kinds(first) if len(first) <= most else None


def _kinds(entries: "Iterable[os.DirEntry[str]]") -> dict[str, bool]:
    kinds = {one.name: (one.is_dir(follow_symlinks=False), one.is_file(follow_symlinks=False)) for one in entries}
    return {_shown(name): is_folder for name, (is_folder, is_file) in kinds.items() if is_folder or is_file}


def file_sizes(project: str, folder: str, names: Iterable[str]) -> dict[str, int]:
    """Return the sizes in bytes of the regular files among some names of a folder.

    Raises:
        BridgeError: As ``open_file``.
    """
    sizes: dict[str, int] = {}
    with _opened_folder(project, folder) as place, path_errors(folder):
        for name in names:
            # A name that is not UTF-8, or has just been removed, has no size.
            with suppress(OSError):
                found = _status(place, name)
                if stat.S_ISREG(found.st_mode):
                    sizes[name] = found.st_size
    return sizes


def _status(place: int | Path, name: str) -> os.stat_result:
    return (place / name).lstat() if isinstance(place, Path) else os.stat(name, dir_fd=place, follow_symlinks=False)


def names_in(project: str, folder: str) -> set[str]:
    """Return all names in a folder, including links, pipes and devices.

    Raises:
        BridgeError: As ``open_file``.
    """
    with _opened_folder(project, folder) as place, path_errors(folder), os.scandir(place) as entries:
        return {_shown(entry.name) for entry in entries}


def _shown(name: str) -> str:
    """Return a name as text; bytes that are not UTF-8 become U+FFFD, as in OpenCode."""
    return os.fsencode(name).decode(errors="replace")


@contextmanager
def _opened_folder(project: str, folder: str) -> Generator[int | Path]:
    """Yield an open folder; if the system cannot open folders, its path, which was checked a moment ago."""
    named = project if folder == "." else folder
    if not STEPWISE:
        with path_errors(named):
            _check_folder(project, folder)
        yield Path(project, folder)
        return
    with path_errors(named):
        descriptor = _open_stepwise(project, folder, FOLDER)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _open(project: str, path: str, flags: int) -> int:
    return _open_stepwise(project, path, flags) if STEPWISE else _open_and_compare(project, path, flags)


def _check_folder(project: str, folder: str) -> None:
    whole = Path(project, folder)
    if not stat.S_ISDIR(whole.lstat().st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not Path(os.path.realpath(whole)).is_relative_to(project):
        raise OSError(errno.ELOOP, "it was replaced by a link meanwhile")


def _open_stepwise(project: str, path: str, flags: int) -> int:
    *above, last = [part for part in path.split("/") if part not in ("", ".")] or ["."]
    folder = os.open(project, FOLDER)
    try:
        for part in above:
            inner = os.open(part, FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        _check_kind(os.stat(last, dir_fd=folder, follow_symlinks=False), path)
        return os.open(last, flags, dir_fd=folder)
    finally:
        os.close(folder)


def _open_and_compare(project: str, path: str, flags: int) -> int:
    whole = Path(project, path)
    _check_kind(whole.lstat(), path)
    descriptor = os.open(whole, flags)
    # Only links matter here: the path must still lead to the opened file, and that must be inside.
    now = Path(os.path.realpath(whole))
    if now.is_relative_to(project) and os.path.samestat(os.fstat(descriptor), now.stat()):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.ELOOP, "it was replaced by a link meanwhile")


def _check_kind(found: os.stat_result, path: str) -> None:
    """Refuse files that must not even be opened: a device can have effects, and a pipe waits for its writer."""
    for is_kind, name in KINDS:
        if is_kind(found.st_mode):
            raise InvalidArgument(
                f"{shortened(path)} is {name}, neither a file nor a folder.", hint="Only files and folders are read."
            )


def _check_regular(found: os.stat_result, path: str) -> None:
    _check_kind(found, path)
    if stat.S_ISDIR(found.st_mode):
        raise NotFound(f"{shortened(path)} is a folder.", hint="opencode_read_file lists it.")
