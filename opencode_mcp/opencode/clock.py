"""OpenCode's clock, told by the ``Date`` header of its replies; it may run on another machine.

OpenCode sends a reply after the moment in its ``Date``, and the reply arrives later still; and the header counts whole
seconds. So each reply shows by how much OpenCode's clock is ahead at least, and of several the largest difference is
the best. It errs by a second or so, and only to one side: OpenCode's clock is never taken to be ahead of what it is.
"""

import time
from collections import deque
from email.utils import parsedate_to_datetime

TRUSTED = 2.0
"""Seconds of difference that are not corrected: the header is not exact enough."""
REPLIES = 60
"""Different seconds of the last replies that count, so that a clock which is set right is followed."""


class Clock:
    """The clock of one OpenCode server.

    Args:
        same: Whether it is this machine's own, so that there is nothing to learn.
    """

    def __init__(self, *, same: bool = False) -> None:
        self._same = same
        self._last = ""
        self._ahead: deque[float] = deque(maxlen=REPLIES)

    def note(self, date: str) -> None:
        """Learn from the ``Date`` header of a reply that has just arrived; anything else teaches nothing."""
        # The first reply with a date is the one that arrived soonest after it.
        if self._same or not date or date == self._last:
            return
        self._last = date
        try:
            told = parsedate_to_datetime(date).timestamp()
        except (ValueError, OverflowError):
            return
        self._ahead.append(told - time.time())

    @property
    def ahead(self) -> float:
        """Seconds by which it is ahead of this machine's clock; 0 where they agree as far as can be told."""
        most = max(self._ahead, default=0.0)
        return most if abs(most) > TRUSTED else 0.0

    def now(self) -> float:
        """Seconds since the epoch by this clock."""
        return time.time() + self.ahead
