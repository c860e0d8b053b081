"""Throttle of progress: how often a host receives a line about a run."""


class ProgressThrottle:
    """Limits progress to at most four lines a second, and at least one every ten seconds.

    Args:
        now: Any moment, in seconds of the clock that the later ones come from.
    """

    SHORTEST = 0.25
    LONGEST = 10.0

    def __init__(self, now: float) -> None:
        self._last = now - self.SHORTEST

    def next_line(self, *, waiting: bool) -> float:
        """When the next line is due: soon if one waits, else before a host that hears nothing gives up."""
        return self._last + (self.SHORTEST if waiting else self.LONGEST)

    def note_sent(self, now: float) -> None:
        """Note that a line was sent."""
        self._last = now
