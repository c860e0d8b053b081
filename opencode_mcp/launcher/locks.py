"""Locks between the bridges of one user, which the kernel releases when their holder dies, however it dies.

``hold`` lets one bridge at a time look for, start or stop the shared server; a ``Lease`` says for as long as a bridge
lives that it uses the server. Knows nothing of servers.
"""

import os
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from opencode_mcp.disk.file_locks import any_lease_lives, file_lock, try_lock

POLL = 0.05


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
        self._lock = file_lock(self._path)
        self._lock.acquire(blocking=False)

    def others_live(self) -> bool:
        """Whether another bridge holds a lease; those of dead bridges are removed."""
        return any_lease_lives(self._path.parent, besides=self._path)

    def release(self) -> None:
        """Take the word back."""
        self._lock.release()
        self._path.unlink(missing_ok=True)
