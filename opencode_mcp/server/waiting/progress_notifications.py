"""MCP progress notifications of a call while it waits.

The progress number only has to increase, since the total is unknown. It is the time since the call arrived, in seconds:
several parts of one call may send notifications, and hosts print the number.
"""

import logging
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING

import anyio
from mcp.shared.exceptions import MCPError

from opencode_mcp.server.bridge import BridgeContext, bridge_of
from opencode_mcp.server.results.safe_text import shown
from opencode_mcp.server.waiting.call_context import arrival_of
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from opencode_mcp.runs.following.wait_callbacks import SendProgress

logger = logging.getLogger(__name__)

MESSAGE_LIMIT = 1000
"""Characters of a notification; it holds several lines of progress."""
UNSENDABLE = (MCPError, ValueError, OSError, anyio.BrokenResourceError, anyio.ClosedResourceError)
"""Errors of sending a notification; a text that is not Unicode is a ValueError."""
STARTING = "starting OpenCode"
WAITING = "waiting for OpenCode"
NEXT_LINE_SECONDS = 8.0
"""Time between notifications. Some hosts cancel a call that sends nothing for ten seconds."""


def progress_sender(ctx: BridgeContext) -> "SendProgress":
    """Return a function that sends progress for one request; it sends nothing if the host requested no progress.

    A line that cannot be sent is dropped: the call continues, since only its result matters.
    """
    began = arrival_of(ctx)

    async def send(line: str) -> None:
        message = one_line(shown(line), MESSAGE_LIMIT)
        seconds = round(anyio.current_time() - began, 3)
        try:
            await ctx.report_progress(seconds, None, message)
        except UNSENDABLE as error:
            logger.info("a line of progress could not be sent: %s", error)

    return send


def start_progress(ctx: BridgeContext) -> AbstractContextManager[None]:
    """Send progress as soon as the block has taken long: OpenCode starts, or the call waits for it."""
    return bridge_of(ctx).slow_calls.working(partial(_send_start, ctx))


async def _send_start(ctx: BridgeContext) -> None:
    bridge, send_progress = bridge_of(ctx), progress_sender(ctx)
    while True:
        await send_progress(WAITING if bridge.in_use else STARTING)
        await anyio.sleep(NEXT_LINE_SECONDS)
