"""The one moment in which work is handed over.

Before it, a call can be given up and nothing was sent. After it, the call must say which run it is.
"""

import math

import anyio
from anyio.lowlevel import checkpoint_if_cancelled


class Handover:
    """Gives a call up at its deadline, unless the work has left by then.

    What comes before the work leaves runs inside ``scope``.

    Args:
        by: When to give up, in seconds of anyio's clock; infinite: never.
    """

    def __init__(self, by: float = math.inf) -> None:
        self.scope = anyio.CancelScope(deadline=by)
        self._by = by

    async def commit(self) -> None:
        """Say that the work leaves with the next request: from here on nothing is given up."""
        # The deadline may have passed without a wait in which it could be seen.
        await checkpoint_if_cancelled()
        self.scope.deadline = math.inf

    def left(self, *, least: float, most: float) -> float:
        """Seconds that are left for seeing the work begin."""
        return min(max(self._by - anyio.current_time(), least), most)

    @property
    def gave_up(self) -> bool:
        """Whether the deadline came first; nothing was sent then."""
        return self.scope.cancelled_caught
