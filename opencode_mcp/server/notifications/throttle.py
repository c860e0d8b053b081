"""Says when a subject is told: at once, and never twice within an interval. Pure: whoever asks brings the time."""

import math
from typing import Generic, TypeVar

Subject = TypeVar("Subject")


class Pace(Generic[Subject]):
    """What is still to be told, and when.

    Args:
        interval: Seconds between two tellings of one subject.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._due: dict[Subject, float] = {}
        self._told: dict[Subject, float] = {}

    @property
    def next_due(self) -> float:
        """When something is to be told; infinite where nothing is."""
        return min(self._due.values(), default=math.inf)

    def note(self, subject: Subject, now: float) -> None:
        """Something is to be told of a subject; what waits to be told already says that too."""
        last = self._told.get(subject, -math.inf)
        self._due.setdefault(subject, max(now, last + self._interval))

    def take(self, now: float) -> list[Subject]:
        """The subjects to tell of now, in the order in which they were noted."""
        ready = [subject for subject, due in self._due.items() if due <= now]
        for subject in ready:
            del self._due[subject]
        recent = {subject: told for subject, told in self._told.items() if now - told < self._interval}
        self._told = recent | dict.fromkeys(ready, now)
        return ready
