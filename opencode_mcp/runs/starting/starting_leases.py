"""Leases on the runs of one principal that are being started: the other bridges of the principal count them.

A bridge holds the lock of the folder while it counts and then takes a lease, so two bridges never count at the same
time. The kernel releases the lease when its bridge dies.
"""

import logging
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from anyio import to_thread

from opencode_mcp.disk.bridge_locks import Lease, hold
from opencode_mcp.disk.file_locks import LEASES, lease_lives
from opencode_mcp.disk.private_modes import PRIVATE_FOLDER
from opencode_mcp.errors import LimitReached

logger = logging.getLogger(__name__)

LOCK_FILE = "count.lock"
LOCK_SECONDS = 20.0
"""Seconds to wait for another bridge that counts; that takes a few requests to OpenCode."""
SESSION = ".session"
"""Ending of the file with the id of the session that a lease is for.

The id is not in the lease itself: taking the lock truncates that file, so each bridge that checks it would empty it.
"""


class StartingLease:
    """Lease on one run that is being started.

    Args:
        folder: Folder of the leases; it must exist.
    """

    def __init__(self, folder: Path) -> None:
        self._lease = Lease(folder)
        self._session_file = _session_file(folder / self._lease.name)

    @property
    def name(self) -> str:
        """Return the name of its file."""
        return self._lease.name

    def name_session(self, session_id: str) -> None:
        """Tell the other bridges the session of the run."""
        try:
            self._session_file.write_text(session_id, encoding="utf-8")
        except OSError as error:
            logger.warning("%s cannot be written: %s", self._session_file, error)

    def release(self) -> None:
        """Release the lease and remove its files."""
        self._lease.release()
        self._session_file.unlink(missing_ok=True)


class StartingLeases:
    """Leases of one principal.

    Args:
        folder: Folder of the leases, which the bridges of the principal share.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @asynccontextmanager
    async def alone(self) -> AsyncGenerator[None]:
        """Keep the other bridges from counting and from taking a lease while the block runs.

        Raises:
            LimitReached: Another bridge held the lock for ``LOCK_SECONDS``.
        """
        if not self._is_usable():
            yield
            return
        async with hold(self._folder / LOCK_FILE, timeout=LOCK_SECONDS) as held:
            if not held:
                raise LimitReached(
                    f"Another opencode-mcp has been counting the runs for {LOCK_SECONDS:.0f} s.",
                    hint="Call again.",
                )
            yield

    def _is_usable(self) -> bool:
        try:
            self._folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            (self._folder / LOCK_FILE).touch()
        except OSError as error:
            logger.warning("Runs that other bridges start do not count: %s cannot be used: %s", self._folder, error)
            return False
        return True

    def take(self) -> StartingLease | None:
        """Take a lease; call it inside of ``alone``. None is returned if the folder cannot be used."""
        try:
            return StartingLease(self._folder)
        except OSError as error:
            logger.warning("other bridges do not count a run that is being started here: %s", error)
            return None

    async def others(self, own: Collection[str]) -> list[str]:
        """Return the sessions of the runs that other bridges are starting; call it inside of ``alone``.

        An empty text stands for a session that is not known yet.

        Args:
            own: Names of the caller's own leases.
        """
        return await to_thread.run_sync(_sessions_of_live, self._folder, frozenset(own))


def _sessions_of_live(folder: Path, own: Collection[str]) -> list[str]:
    """Return the sessions of the leases that bridges hold; remove the files of dead bridges."""
    found: list[str] = []
    for path in folder.glob(LEASES):
        if path.name in own:
            continue
        if lease_lives(path):
            found.append(_read(_session_file(path)))
        else:
            _session_file(path).unlink(missing_ok=True)
    return found


def _session_file(lease: Path) -> Path:
    return lease.with_suffix(SESSION)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
