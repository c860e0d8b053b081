"""Runs that are being started: they take places at once, before OpenCode shows them at work."""

from collections.abc import Collection
from dataclasses import dataclass

import anyio


@dataclass(eq=False, slots=True)
class StartingRun:
    """Run that is being started."""

    session_id: str = ""
    """Its session; empty until that is known."""


class StartingRuns:
    """The runs of one principal that a process is starting."""

    def __init__(self) -> None:
        self.lock = anyio.Lock()
        """Held while somebody counts and then adds a run."""
        self.spent_day: tuple[float, float] | None = None
        """Beginning of the day whose limit of cost was last found to be used up, and that limit."""
        self._runs: set[StartingRun] = set()

    def add(self) -> StartingRun:
        """Add a run, and return it."""
        run = StartingRun()
        self._runs.add(run)
        return run

    def remove(self, run: StartingRun) -> None:
        """Remove a run that is started, or could not be."""
        self._runs.discard(run)

    def count_beside(self, sessions: Collection[str]) -> int:
        """Count the runs whose sessions are not among some others."""
        return sum(run.session_id not in sessions for run in self._runs)
