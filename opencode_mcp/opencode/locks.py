"""Locks between the bridges of one user, which the kernel releases when their holder dies, however it dies.

``hold`` lets one bridge at a time look for, start or stop the shared server; a ``Lease`` says for as long as a bridge
lives that it uses the server. Knows nothing of servers.
"""

import os
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from filelock import FileLock

POLL = 0.05


def _file_lock(path: Path) -> "FileLock":
    from filelock import FileLock

    return FileLock(path, mode=0o600, thread_local=False)


def try_lock(path: Path) -> "FileLock | None":
    """Take a lock if it is free.

    Raises:
        OSError: The file cannot be made.
    """
    from filelock import Timeout

    lock = _file_lock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    return lock


@asynccontextmanager
async def hold(path: Path, *, timeout: float) -> AsyncGenerator[bool]:
    """Hold a lock for the length of the block; yields false where another held it for all of ``timeout`` seconds."""
    lock = try_lock(path)
    with anyio.move_on_after(timeout):
        while lock is None:
            await anyio.sleep(POLL)
            lock = try_lock(path)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            lock.release()


class Lease:
    """The word of one bridge that it uses the server, in a folder where the others look.

    Take it and ask it only while the lock of ``hold`` is held.

    Args:
        folder: Where the leases of all bridges are; it must exist.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{os.getpid()}-{secrets.token_hex(4)}.lease"
        self._lock = _file_lock(self._path)
        self._lock.acquire(blocking=False)

    def others_live(self) -> bool:
        """Whether another bridge holds a lease; those of dead bridges are removed."""
        others = [path for path in self._path.parent.glob("*.lease") if path != self._path]
        live = [path for path in others if not _remove_if_stale(path)]
        return bool(live)

    def release(self) -> None:
        """Take the word back."""
        self._lock.release()
        self._path.unlink(missing_ok=True)


def _remove_if_stale(path: Path) -> bool:
    lock = try_lock(path)
    if lock is None:
        return False
    # Windows removes no file that is open.
    lock.release()
    path.unlink(missing_ok=True)
    return True
