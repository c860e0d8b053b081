"""Time at which a wait ends, passed from the call down to the loop that waits."""

import math
from collections.abc import Generator
from contextlib import contextmanager

import anyio


class Deadline:
    """End of a wait. One object serves the whole call, so that time added to it counts everywhere.

    Args:
        at: The end, in seconds of anyio's clock.
        latest: Time to which the end can be put off.
    """

    def __init__(self, at: float, latest: float = math.inf) -> None:
        self.at = min(at, latest)
        self.latest = latest
        self.ended = anyio.Event()
        """Set when the wait must end early."""

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """Make a deadline so many seconds from now; 0 has passed already."""
        return cls(anyio.current_time() + seconds)

    @property
    def passed(self) -> bool:
        """Return True if the wait is over."""
        return self.ended.is_set() or anyio.current_time() >= self.at

    @property
    def remaining(self) -> float:
        """Return the seconds until the wait is over; 0 when it is."""
        return 0 if self.passed else self.at - anyio.current_time()

    def end(self) -> None:
        """End the wait now, whatever time is left or added."""
        self.ended.set()

    @contextmanager
    def paused(self) -> Generator[None]:
        """Add the time that the block takes: a person who fills in a form is not waited for at the run's expense."""
        began = anyio.current_time()
        try:
            yield
        finally:
            self.at = min(self.at + anyio.current_time() - began, self.latest)
