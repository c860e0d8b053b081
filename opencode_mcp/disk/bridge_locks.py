"""Locks between the bridges of one user. The kernel releases them when their holder dies, however it dies.

``hold`` lets one bridge at a time do something, such as start the shared server, change a worktree or begin work in a
session. A ``Lease`` marks a bridge as a living user of a folder, such as that of the server or of the queue of tasks.
"""

import os
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from opencode_mcp.disk.file_locks import any_lease_lives, file_lock, try_lock

POLL_SECONDS = 0.05


@asynccontextmanager
async def hold(path: Path, *, timeout: float) -> AsyncGenerator[bool]:
    """Hold a lock for the length of the block; yields False if another bridge held it for ``timeout`` seconds."""
    lock = try_lock(path)
    with anyio.move_on_after(timeout):
        while lock is None:
            await anyio.sleep(POLL_SECONDS)
            lock = try_lock(path)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            lock.release()


class Lease:
    """Lock file that marks a bridge as a living user of a folder, which the other bridges read.

    Where bridges must not count at the same moment, take and query it only while a lock of ``hold`` is held.

    Args:
        folder: Folder of the leases of all bridges; it must exist.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{os.getpid()}-{secrets.token_hex(4)}.lease"
        self._lock = file_lock(self._path)
        self._lock.acquire(blocking=False)

    @property
    def name(self) -> str:
        """Return the name of the file, which no other lease has."""
        return self._path.name

    def others_live(self) -> bool:
        """Return True if another bridge holds a lease; the leases of dead bridges are removed."""
        return any_lease_lives(self._path.parent, besides=self._path)

    def release(self) -> None:
        """Release the lock and remove the file."""
        self._lock.release()
        self._path.unlink(missing_ok=True)
