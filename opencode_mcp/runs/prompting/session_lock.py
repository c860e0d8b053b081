"""One start at a time in a session, also between the bridges of one user.

OpenCode merges prompts that reach a session together. So whoever starts something there first holds the session's lock
in the state directory, which the kernel releases when its holder dies. A folder that cannot be used leaves the bridges
to what OpenCode's record shows afterwards; see ``merging.py``.
"""

import hashlib
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from opencode_mcp.errors import SessionBusy
from opencode_mcp.launcher.locks import hold

logger = logging.getLogger(__name__)

PLACES = 1024
"""How many lock files there are at most: they stay, and sessions come and go. Two sessions may share one."""
PATIENCE = 20.0
"""Seconds for which another bridge may be starting something; it takes about one."""
PRIVATE_FOLDER = 0o700


class Turns:
    """The turns of all sessions.

    Args:
        folder: Where the locks are that the bridges share; ``None``: this process is alone.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._locks: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)

    @asynccontextmanager
    async def turn(self, session_id: str) -> AsyncGenerator[None]:
        """Be the only one to start something in a session while the block runs.

        Raises:
            SessionBusy: Another bridge was starting something in it all the time.
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
        path = self._place(session_id)
        if path is None:
            yield
            return
        async with hold(path, timeout=PATIENCE) as held:
            if not held:
                raise SessionBusy(f"Another bridge has been starting a prompt in {session_id} for {PATIENCE:.0f} s.")
            yield

    def _place(self, session_id: str) -> Path | None:
        """The lock file of a session; ``None`` where none can be made."""
        if self._folder is None:
            return None
        number = int.from_bytes(hashlib.sha256(session_id.encode(errors="replace")).digest()[:4]) % PLACES
        path = self._folder / f"{number}.lock"
        try:
            self._folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            path.touch()
        except OSError as error:
            logger.warning("Prompts of other bridges are not held off: %s cannot be used: %s", path, error)
            return None
        return path
