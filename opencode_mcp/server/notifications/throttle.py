"""Throttle: a subject is due at once, but not twice within an interval. Pure: the caller passes the time."""

import math
from typing import Generic, TypeVar

Subject = TypeVar("Subject")


class Throttle(Generic[Subject]):
    """Subjects that are still to be reported, and when.

    Args:
        interval: Seconds between two reports of one subject.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._due: dict[Subject, float] = {}
        self._notified: dict[Subject, float] = {}

    @property
    def next_due(self) -> float:
        """Return the time of the next report; infinite if there is none."""
        return min(self._due.values(), default=math.inf)

    def note(self, subject: Subject, now: float) -> None:
        """Schedule a report of a subject, unless one is already pending."""
        last = self._notified.get(subject, -math.inf)
        self._due.setdefault(subject, max(now, last + self._interval))

    def take(self, now: float) -> list[Subject]:
        """Take the subjects that are due now, in the order in which they were noted."""
        ready = [subject for subject, due in self._due.items() if due <= now]
        for subject in ready:
            del self._due[subject]
        recent = {subject: time for subject, time in self._notified.items() if now - time < self._interval}
        self._notified = recent | dict.fromkeys(ready, now)
        return ready
