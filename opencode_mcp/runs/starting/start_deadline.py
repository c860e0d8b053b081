"""Deadline of the part of a call that comes before it sends anything.

Until then the call can be given up and nothing was sent. From then on the call must name its run.
"""

import math

import anyio
from anyio.lowlevel import checkpoint_if_cancelled


class StartDeadline:
    """Ends a call at its deadline, unless it has sent something by then.

    The part of the call that comes before runs inside ``scope``.

    Args:
        at: The deadline, in seconds of anyio's clock; infinite: none.
        reply_by: Time until which the call waits for OpenCode's reply to what it sent; infinite: only ``at`` counts.
    """

    def __init__(self, at: float = math.inf, reply_by: float = math.inf) -> None:
        self.scope = anyio.CancelScope(deadline=at)
        self.committed = False
        """True once the work is being started."""
        self._reply_by = min(at, reply_by)

    async def commit(self) -> None:
        """Lift the deadline, because the next request starts the work."""
        # The deadline may have passed without a wait in which it could be noticed.
        await checkpoint_if_cancelled()
        self.committed = True
        self.scope.deadline = math.inf

    def remaining(self, *, at_least: float, at_most: float) -> float:
        """Return the seconds that are left for seeing the work begin."""
        return min(max(self._reply_by - anyio.current_time(), at_least), at_most)

    @property
    def expired(self) -> bool:
        """Return True if the deadline came first; nothing was sent then."""
        return self.scope.cancelled_caught
