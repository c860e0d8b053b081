"""The waits for runs that calls of a bridge are in, so that all of them can end when the bridge does."""

import math
from typing import TYPE_CHECKING
from weakref import WeakSet

from opencode_mcp.runs import deadline

if TYPE_CHECKING:
    from opencode_mcp.runs.deadline import Deadline


class OpenWaits:
    """Deadlines of the calls that wait."""

    def __init__(self) -> None:
        self._deadlines: WeakSet[Deadline] = WeakSet()
        self._ended = False

    def deadline(self, at: float, latest: float = math.inf) -> "Deadline":
        """Return the deadline of a new wait; see ``Deadline``."""
        made = deadline.Deadline(at, latest)
        if self._ended:
            made.end()
        self._deadlines.add(made)
        return made

    def __len__(self) -> int:
        """Return the number of waits that go on."""
        return sum(not deadline.passed for deadline in self._deadlines)

    def end(self) -> None:
        """End all waits, also those that begin later; the followers must be woken."""
        self._ended = True
        for open_one in list(self._deadlines):
            open_one.end()
