"""Lines of OpenCode 1's event stream, parsed while they arrive."""

from collections.abc import AsyncGenerator, AsyncIterator

import anyio

from opencode_mcp.opencode.v1.event_parser import EventParser1, is_noise
from opencode_mcp.opencode.vocabulary.backend_events import Event

SUBSCRIBE_SECONDS = 0.1
"""OpenCode 1.18 reports a stream as connected up to 60 ms before it sends events to it."""


async def parse_lines(lines: AsyncIterator[str]) -> AsyncGenerator[list[Event]]:
    """Yield the events of each line (``global.event``); the list of a line without known events is empty.

    The first list comes when OpenCode sends events to the stream.
    """
    parser = EventParser1()
    connected = False
    async for line in lines:
        if not connected:
            connected = True
            await anyio.sleep(SUBSCRIBE_SECONDS)
        yield [] if is_noise(line) else parser.parse(line)
