"""Pairs of times, taken in turn so that whatever else the machine does weighs on both sides alike; and their medians.

It knows nothing of what is timed.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from statistics import median

import anyio

Timed = Callable[[], Awaitable[float]]
"""Does something once, and says how many milliseconds it took."""


@dataclass(slots=True)
class Pairs:
    """Times in milliseconds: ours, and what they are held against, one of each in every round."""

    ours: list[float] = field(default_factory=list[float])
    beside: list[float] = field(default_factory=list[float])

    @property
    def difference(self) -> float:
        """The median of the rounds' differences."""
        return median(own - other for own, other in zip(self.ours, self.beside, strict=True))

    @property
    def ratio(self) -> float:
        """Our median over the other."""
        return median(self.ours) / median(self.beside)


async def interleaved(ours: Timed, beside: Timed, *, rounds: int, discarded: int = 1, rest: float = 0.0) -> Pairs:
    """Time both in turn; who goes first changes from round to round, and the first rounds only warm up.

    Args:
        ours: Does ours once.
        beside: Does what it is held against.
        rounds: How many pairs are kept.
        discarded: Rounds before those.
        rest: Seconds of quiet before each time.
    """
    pairs = Pairs()
    for number in range(discarded + rounds):
        if number == discarded:
            pairs = Pairs()
        sides = [(ours, pairs.ours), (beside, pairs.beside)]
        for timed, times in sides if number % 2 else reversed(sides):
            await anyio.sleep(rest)
            times.append(await timed())
    return pairs
