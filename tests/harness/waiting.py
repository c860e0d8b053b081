"""Waiting for what has no event of its own: ask again until it is so, within a deadline."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

Found = TypeVar("Found")
PAUSE = 0.02
"""Seconds between two looks."""


async def eventually(look: Callable[[], Awaitable[Found]], *, seconds: float = 20.0) -> Found:
    """Call ``look`` until it gives something true, and return that.

    Raises:
        TimeoutError: It gave nothing within ``seconds``.
    """
    with anyio.fail_after(seconds):
        while not (found := await look()):  # noqa: ASYNC110 - what another process does sets no event here
            await anyio.sleep(PAUSE)
        return found
