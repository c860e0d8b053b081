"""OpenCode's clock, estimated from the ``Date`` header of its replies; OpenCode may run on another machine.

OpenCode sends a reply after the time in its ``Date``, the reply arrives later, and the header has whole seconds. So
each reply gives a lower bound of the difference between the clocks, and the largest of several bounds is the best
estimate. The error is about a second and one-sided: the estimate is never ahead of OpenCode's real clock.
"""

import time
from collections import deque
from email.utils import parsedate_to_datetime

TRUSTED_SECONDS = 2.0
"""Differences up to this number of seconds are not corrected: the header is not more exact."""
REPLIES = 60
"""Number of different seconds whose replies count, so that the estimate follows a clock that is corrected."""


class Clock:
    """Clock of one OpenCode server.

    Args:
        same: True if it is this machine's own clock, so that there is nothing to estimate.
    """

    def __init__(self, *, same: bool = False) -> None:
        self._same = same
        self._last = ""
        self._ahead: deque[float] = deque(maxlen=REPLIES)

    def note(self, date: str) -> None:
        """Update the estimate from the ``Date`` header of a reply that has just arrived; other values are ignored."""
        # The first reply with a date is the one that arrived soonest after that time.
        if self._same or not date or date == self._last:
            return
        self._last = date
        try:
            server_time = parsedate_to_datetime(date).timestamp()
        except (ValueError, OverflowError):
            return
        self._ahead.append(server_time - time.time())

    @property
    def ahead(self) -> float:
        """Return the seconds by which it is ahead of this machine's clock; 0 if the difference is within the error."""
        most = max(self._ahead, default=0.0)
        return most if abs(most) > TRUSTED_SECONDS else 0.0

    def now(self) -> float:
        """Return the time by this clock, in seconds since the epoch."""
        return time.time() + self.ahead
