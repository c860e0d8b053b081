"""Throttle of progress: how often a host receives a line about a run."""


class ProgressThrottle:
    """Limits progress to at most four lines a second, and at least one every ten seconds.

    Args:
        now: Any moment, in seconds of the clock that the later ones come from.
    """

    SHORTEST_SECONDS = 0.25
    LONGEST_SECONDS = 10.0

    def __init__(self, now: float) -> None:
        self._last = now - self.SHORTEST_SECONDS

    def next_line(self, *, waiting: bool) -> float:
        """Return when the next line is due: soon if one waits, else before a host that receives nothing gives up."""
        return self._last + (self.SHORTEST_SECONDS if waiting else self.LONGEST_SECONDS)

    def note_sent(self, now: float) -> None:
        """Note that a line was sent."""
        self._last = now
