"""Locks that let one start at a time happen in a session, also between the bridges of one user.

OpenCode merges prompts that reach a session together. So a bridge holds the session's lock file in the state folder
while it starts something there. The kernel releases the lock when its holder dies. If the folder cannot be used, only
OpenCode's record shows afterwards that prompts were merged; see ``merged_prompts.py``.
"""

import hashlib
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from opencode_mcp.disk.bridge_locks import hold
from opencode_mcp.disk.private_modes import PRIVATE_FOLDER
from opencode_mcp.errors import SessionBusy

logger = logging.getLogger(__name__)

LOCK_FILES = 1024
"""Number of lock files at most: they are never deleted. Two sessions may share one."""
LOCK_SECONDS = 20.0
"""Seconds to wait for another bridge that is starting something; a start takes about one."""


class SessionLocks:
    """Locks of all sessions.

    Args:
        folder: Folder of the lock files that the bridges share; ``None`` if there is no other bridge.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._locks: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)

    @asynccontextmanager
    async def hold(self, session_id: str) -> AsyncGenerator[None]:
        """Hold a session's lock while the block runs.

        Raises:
            SessionBusy: Another bridge held it for ``LOCK_SECONDS``.
        """
        lock = self._locks[session_id]
        try:
            async with lock, self._between_bridges(session_id):
                yield
        finally:
            if not lock.locked():
                self._locks.pop(session_id, None)

    @asynccontextmanager
    async def _between_bridges(self, session_id: str) -> AsyncGenerator[None]:
        path = self._lock_file(session_id)
        if path is None:
            yield
            return
        async with hold(path, timeout=LOCK_SECONDS) as held:
            if not held:
                raise SessionBusy(
                    f"Another opencode-mcp has been starting a prompt in {session_id} for {LOCK_SECONDS:.0f} s."
                )
            yield

    def _lock_file(self, session_id: str) -> Path | None:
        """Return the lock file of a session, ``None`` if none can be made."""
        if self._folder is None:
            return None
        number = int.from_bytes(hashlib.sha256(session_id.encode(errors="replace")).digest()[:4]) % LOCK_FILES
        path = self._folder / f"{number}.lock"
        try:
            self._folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            path.touch()
        except OSError as error:
            logger.warning("Other bridges can start prompts in the same session: %s cannot be used: %s", path, error)
            return None
        return path
