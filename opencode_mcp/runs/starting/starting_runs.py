"""Runs that are being started: they take places at once, before OpenCode shows them at work."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio

from opencode_mcp.runs.starting.starting_leases import StartingLease, StartingLeases


@dataclass(eq=False, slots=True)
class StartingRun:
    """Run that is being started."""

    session_id: str = ""
    """Its session; empty until that is known."""
    lease: StartingLease | None = None
    """Shows the run to other bridges."""

    def name_session(self, session_id: str) -> None:
        """Note the session of the run, before its prompt is sent."""
        self.session_id = session_id
        if self.lease:
            self.lease.name_session(session_id)


class StartingRuns:
    """The runs of one principal that are being started.

    Args:
        leases: Those of all bridges of the principal.
    """

    def __init__(self, leases: StartingLeases) -> None:
        self.spent_day: tuple[float, float] | None = None
        """Beginning of the day whose limit of cost was last found to be used up, and that limit."""
        self._lock = anyio.Lock()
        self._leases = leases
        self._runs: set[StartingRun] = set()

    @asynccontextmanager
    async def turn(self, *, shared: bool) -> AsyncGenerator[None]:
        """Count, and perhaps add a run, while nobody else does.

        Args:
            shared: Whether other bridges count, too: there is a limit of runs at once.

        Raises:
            LimitReached: Another bridge did so for too long.
        """
        async with self._lock:
            if not shared:
                yield
                return
            async with self._leases.alone():
                yield

    def add(self, *, shared: bool) -> StartingRun:
        """Add a run in a turn, and return it."""
        run = StartingRun(lease=self._leases.take() if shared else None)
        self._runs.add(run)
        return run

    def remove(self, run: StartingRun) -> None:
        """Remove a run that is started, or could not be."""
        self._runs.discard(run)
        if run.lease:
            run.lease.release()

    async def sessions(self) -> list[str]:
        """Return the session of each run that is being started, in a turn that is shared; empty if it is not known."""
        own = [run.lease.name for run in self._runs if run.lease]
        others = await self._leases.others(own)
        return [*(run.session_id for run in self._runs), *others]
