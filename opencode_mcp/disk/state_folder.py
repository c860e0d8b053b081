"""State folder of the bridges: created for its owner alone, and refused if others could change it.

A user who can write to the folder, to a file in it or to a folder above it can replace our server by another one and
read every prompt. The module knows nothing of the contents of the files.
"""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import filelock

from opencode_mcp.disk.private_modes import PRIVATE_FILE, PRIVATE_FOLDER
from opencode_mcp.errors import InvalidSetting

if sys.platform != "win32":
    import grp
    import pwd

KEY_FILE = "seal.key"
KEY_BYTES = 32
KEY_TIMEOUT_SECONDS = 5.0
OTHER_FOLDER = "choose another folder with OPENCODE_MCP_STATE"


def prepare_folder(folder: Path) -> None:
    """Create the folder if it does not exist, and check it with all of its contents.

    Raises:
        InvalidSetting: It cannot be created or used, or others could change it; the text names the file and the reason.
    """
    if not folder.is_absolute():
        raise InvalidSetting(f"The state folder {str(folder)!r} is relative.", hint="Give an absolute path.")
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        check_folder(folder)
    except OSError as error:
        raise unusable(folder, error) from error


def unusable(path: Path, error: OSError) -> InvalidSetting:
    """Return the error for a file or folder of ours that the system does not let us use."""
    named = error.filename if isinstance(error.filename, str) else path
    message = f"The state folder cannot be used: {named}: {error.strerror or error}."
    return InvalidSetting(message, hint=f"Make it writable and leave some space on its disk, or {OTHER_FOLDER}.")


def check_kind(path: Path, *, folder: bool) -> None:
    """Check that a file, if it exists, is of the right kind and can be written.

    Raises:
        InvalidSetting: It is of another kind or read-only.
    """
    if not path.exists():
        return
    if path.is_dir() != folder:
        wanted, found = ("folder", "file") if folder else ("file", "folder")
        raise InvalidSetting(f"{path} is a {found}, and must be a {wanted}.", hint=f"Remove it, or {OTHER_FOLDER}.")
    if not os.access(path, os.W_OK):
        raise InvalidSetting(f"{path} cannot be written.", hint=f"Change its permissions, or {OTHER_FOLDER}.")


def open_private(path: Path) -> IO[bytes]:
    """Open a file for writing, empty, readable for its owner alone."""
    # An existing file may belong to a program that still writes to it, or have a wider mode.
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb")


def replace_private(path: Path, content: bytes) -> None:
    """Replace a file atomically; only its owner can read it."""
    # Two bridges may write at once.
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with open_private(fresh) as file:
            file.write(content)
        fresh.replace(path)
    except OSError:
        # A full disk: the part that was written would stay.
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise


def shared_key(folder: Path) -> bytes:
    """Return the secret that the bridges of one folder share; the first of them creates it.

    Raises:
        InvalidSetting: The folder cannot be used.
    """
    path = folder / KEY_FILE
    prepare_folder(folder)
    try:
        return _read_key(path) or _make_key(path)
    except filelock.Timeout as error:
        raise InvalidSetting(
            f"Another opencode-mcp has held {error.lock_file} for {KEY_TIMEOUT_SECONDS:.0f} s."
        ) from error
    except OSError as error:
        raise unusable(path, error) from error


def _read_key(path: Path) -> bytes:
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        return b""
    return key if len(key) == KEY_BYTES else b""


def _make_key(path: Path) -> bytes:
    """Create the key once: of two bridges that start together one wins, and both use its key."""
    with filelock.FileLock(f"{path}.lock", timeout=KEY_TIMEOUT_SECONDS, mode=PRIVATE_FILE):
        key = _read_key(path)
        if not key:
            key = os.urandom(KEY_BYTES)
            replace_private(path, key)
        return key


if sys.platform == "win32":

    def check_folder(folder: Path) -> None:
        """Do nothing: Windows itself protects a user's folders from other users."""

else:

    def check_folder(folder: Path) -> None:
        """Check that nobody else can change the folder, its contents, or the entry at its path.

        Raises:
            InvalidSetting: Somebody else can.
            OSError: It cannot be read.
        """
        _refuse_foreign(folder)
        for entry in _entries(folder):
            # Another bridge may have removed it meanwhile.
            with suppress(FileNotFoundError):
                _refuse_foreign(entry)
        for parent in _parents(folder):
            _refuse_replaceable(parent)

    def _entries(folder: Path) -> Iterator[Path]:
        with os.scandir(folder) as entries:
            for entry in entries:
                yield Path(entry.path)

    def _parents(folder: Path) -> set[Path]:
        """Return the folders above it, both as named and with links resolved."""
        return {*folder.parents, *folder.resolve().parents}

    def _refuse_foreign(path: Path) -> None:
        """Refuse a file that belongs to somebody else or that others can write."""
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            # The mode of a link has no meaning; only its owner can change its target.
            _refuse_owner(path, found)
            found = path.stat()
        _refuse_owner(path, found)
        if _others_write(found):
            wanted = "700" if stat.S_ISDIR(found.st_mode) else "600"
            message = f"{path} can be changed by other users (mode {stat.S_IMODE(found.st_mode):04o})."
            raise InvalidSetting(message, hint=f"Run `chmod {wanted} {path}`, or {OTHER_FOLDER}.")

    def _refuse_owner(path: Path, found: os.stat_result) -> None:
        if found.st_uid != os.geteuid():
            message = f"{path} belongs to another user (user id {found.st_uid})."
            raise InvalidSetting(message, hint=f"Remove it, or {OTHER_FOLDER}.")

    def _refuse_replaceable(parent: Path) -> None:
        """Refuse a folder in which others can replace our entry."""
        found = parent.stat()
        if found.st_uid not in {0, os.geteuid()}:
            message = f"{parent} belongs to another user (user id {found.st_uid}), who could replace the state folder."
            raise InvalidSetting(message, hint=f"{OTHER_FOLDER.capitalize()}.")
        # In a sticky folder, such as /tmp, only the owner of an entry can replace it.
        if found.st_mode & stat.S_ISVTX or not _others_write(found):
            return
        message = f"Other users can replace the state folder: they can write to {parent}."
        raise InvalidSetting(message, hint=f"Run `chmod go-w {parent}`, or {OTHER_FOLDER}.")

    def _others_write(found: os.stat_result) -> bool:
        if found.st_mode & stat.S_IWOTH:
            return True
        return bool(found.st_mode & stat.S_IWGRP) and not _is_private_group(found.st_gid)

    def _is_private_group(group_id: int) -> bool:
        """Return True if it is the group that many systems create for each user, without other members."""
        try:
            group, user = grp.getgrgid(group_id), pwd.getpwuid(os.geteuid())
        except KeyError:
            return False
        return group.gr_name == user.pw_name and not set(group.gr_mem) - {user.pw_name}
