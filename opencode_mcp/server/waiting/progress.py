"""Telling a host how a call goes on, while it waits (MCP's progress notifications).

The number of a notification only has to rise, since nobody knows the total. It is the seconds since the call arrived:
several parts of one call may tell something, and hosts print it.
"""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
from mcp.shared.exceptions import MCPError

from opencode_mcp.server.bridge import Bridge, BridgeContext, bridge_of
from opencode_mcp.server.results.safe_text import shown
from opencode_mcp.server.waiting.call_context import arrival_of
from opencode_mcp.text.outside_text import one_line

logger = logging.getLogger(__name__)

Tell = Callable[[str], Awaitable[None]]
MESSAGE_LIMIT = 1000
"""Characters of a notification; it holds several lines of progress."""
UNSENDABLE = (MCPError, ValueError, OSError, anyio.BrokenResourceError, anyio.ClosedResourceError)
"""What sending a notification can fail with; a text that is not Unicode is a ValueError."""
STARTING = "starting OpenCode"
WAITING = "waiting for OpenCode"
# A start takes about two seconds; one that takes longer is worth a word, and a host must hear something every ten.
FIRST_WORD = 1.0
NEXT_WORDS = 8.0


def progress_of(ctx: BridgeContext) -> Tell:
    """A teller of progress lines for one request; where the host asked for none, it tells nobody.

    A line that cannot be sent is dropped: the call goes on, and its result is what counts.
    """
    began = arrival_of(ctx)

    async def tell(line: str) -> None:
        message = one_line(shown(line), MESSAGE_LIMIT)
        seconds = round(anyio.current_time() - began, 3)
        try:
            await ctx.report_progress(seconds, None, message)
        except UNSENDABLE as error:
            logger.info("a line of progress could not be sent: %s", error)

    return tell


@asynccontextmanager
async def telling_of_start(ctx: BridgeContext) -> AsyncGenerator[None]:
    """Tell for as long as the block runs that OpenCode starts, or that the call waits for it."""
    bridge = bridge_of(ctx)
    telling = anyio.CancelScope()
    bridge.spawn(_tell_start, bridge, progress_of(ctx), telling)
    try:
        yield
    finally:
        telling.cancel()


async def _tell_start(bridge: Bridge, tell: Tell, telling: anyio.CancelScope) -> None:
    with telling:
        await anyio.sleep(FIRST_WORD)
        while True:
            await tell(WAITING if bridge.in_use else STARTING)
            await anyio.sleep(NEXT_WORDS)
