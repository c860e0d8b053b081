"""Outages of OpenCode: those who follow runs wait together until it can be reached or started again."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from opencode_mcp.errors import BackendError, OpenCodeNotInstalled, OpenCodeNotStarting

logger = logging.getLogger(__name__)

T = TypeVar("T")
AWAY = (BackendError, OpenCodeNotStarting, OpenCodeNotInstalled)
"""Errors that a later attempt may not have: OpenCode can be killed, or its program be replaced by another version."""
LONGEST_SECONDS = 300.0
"""Time for which OpenCode may be away."""
RETRY_SECONDS = 5.0


class Outages:
    """Waits for OpenCode to come back.

    Args:
        reach: Reaches OpenCode, or starts it.
        longest: Seconds for which OpenCode may be away.
        pause: Seconds between two attempts.
    """

    def __init__(
        self, reach: Callable[[], Awaitable[object]], longest: float = LONGEST_SECONDS, pause: float = RETRY_SECONDS
    ) -> None:
        self._reach = reach
        self._longest = longest
        self._pause = pause
        self._turn = anyio.Lock()
        """One task tries, and the others wait for it: an attempt may start a program."""
        self._since: float | None = None
        """Beginning of the present outage, on anyio's clock."""

    async def wait_over(self) -> None:
        """Return as soon as OpenCode can be reached.

        Raises:
            BridgeError: It could not be reached for too long, or cannot be used.
        """
        async with self._turn:
            while not await self._try_to_reach():  # noqa: ASYNC110 - only an attempt shows that OpenCode is back
                await anyio.sleep(self._pause)

    async def _try_to_reach(self) -> bool:
        """Try once, and return True if that succeeded; note when the outage began, or that it is over."""
        try:
            await self._reach()
        except AWAY as error:
            self._since = self._since or anyio.current_time()
            if anyio.current_time() - self._since >= self._longest:
                raise
            logger.info("OpenCode is away: %s", error)
            return False
        self._since = None
        return True

    async def repeat(self, action: Callable[[], Awaitable[T]]) -> T:
        """Carry out an action, again and again while OpenCode is away; what it does twice must be done once.

        Raises:
            BridgeError: It failed for too long, or for a reason of its own.
        """
        last = float("inf")
        while True:
            await self.wait_over()
            try:
                return await action()
            except AWAY as error:
                last = min(last, anyio.current_time() + self._longest)
                if anyio.current_time() >= last:
                    raise
                logger.info("OpenCode did not answer: %s", error)
            await anyio.sleep(self._pause)
