"""Time that a run worked, without the time in which it waited for answers. Pure."""


class WorkingTime:
    """Clock that is paused while a run waits for an answer.

    Args:
        now: The present time, in seconds of one clock.
        before: Seconds that the run has worked already.
    """

    def __init__(self, now: float, before: float = 0) -> None:
        self._seconds = before
        self._since: float | None = now

    @property
    def is_paused(self) -> bool:
        """Return True while the run waits."""
        return self._since is None

    def seconds(self, now: float) -> float:
        """Return the seconds of work until now."""
        return self._seconds + (0 if self._since is None else now - self._since)

    def note(self, now: float, *, waits: bool) -> None:
        """Note whether the run waits for an answer from now on."""
        self._seconds = self.seconds(now)
        self._since = None if waits else now
