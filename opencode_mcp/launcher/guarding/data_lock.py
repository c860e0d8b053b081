"""Lock on the data of an OpenCode 2, in a file beside the data.

Bridges with one state folder agree on one server through the files there. Bridges with different state folders do not
know each other, and two servers on one database would both work on a prompt. The guard of a server therefore holds this
lock as long as the server runs; the kernel releases it however the guard ends. A second file names the holder, because
a program that tries to take a lock can empty the file of the lock.

Some file systems have no locks, and a data folder can be read-only or belong to another user. A server is started there
without the lock, and the bridge logs the reason.
"""

import json
import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from opencode_mcp.disk.file_locks import try_lock
from opencode_mcp.disk.private_modes import PRIVATE_FILE, PRIVATE_FOLDER

if TYPE_CHECKING:
    from filelock import FileLock

WAIT_SECONDS = 5.0
"""Time in which the guard of a server that has just ended releases the lock."""
POLL_SECONDS = 0.1
HOLDER_BYTES = 10_000


class Holder(NamedTuple):
    """Holder of the lock, as far as it is known."""

    state: str = ""
    """State folder of its bridges."""
    pid: int = 0
    """Process id of the guard."""


class DataInUse(Exception):
    """The server of other bridges uses the data."""

    def __init__(self, holder: Holder) -> None:
        super().__init__(holder)
        self.holder = holder


@contextmanager
def held(path: str, state: str) -> Generator[str]:
    """Hold the lock for the length of the block; yields the reason if that is impossible, otherwise an empty text.

    Args:
        path: File of the lock; empty for none.
        state: State folder, which the error of other state folders names.

    Raises:
        DataInUse: The lock is held by somebody else.
    """
    if not path:
        yield ""
        return
    try:
        lock = _take(Path(path))
    except (OSError, NotImplementedError) as error:
        # filelock reports in the second way that a file system has no locks.
        yield f"{path}: {getattr(error, 'strerror', None) or error}"
        return
    holder = _holder_file(Path(path))
    _write(holder, Holder(state, os.getpid()))
    try:
        yield ""
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def _take(path: Path) -> "FileLock":
    path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    deadline = time.monotonic() + WAIT_SECONDS
    while (lock := try_lock(path)) is None:
        if time.monotonic() > deadline:
            raise DataInUse(_read(_holder_file(path)))
        time.sleep(POLL_SECONDS)
    return lock


def _holder_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.holder")


def _write(path: Path, holder: Holder) -> None:
    with suppress(OSError):
        # Not through a link that somebody else has made.
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(holder, file)


def _read(path: Path) -> Holder:
    """Return what the file says; an empty holder if it cannot be read."""
    try:
        with path.open(encoding="utf-8") as file:
            state, pid = json.loads(file.read(HOLDER_BYTES))
    except (OSError, ValueError, TypeError):
        return Holder()
    return Holder(state, pid) if isinstance(state, str) and isinstance(pid, int) else Holder()
