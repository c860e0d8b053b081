"""Lines of OpenCode 2's event stream, parsed while they arrive."""

from collections.abc import AsyncGenerator, AsyncIterator

from opencode_mcp.opencode.v2.event_parsing.event_parser import EventParser2
from opencode_mcp.opencode.vocabulary.backend_events import Event


async def parse_lines(lines: AsyncIterator[str], parser: EventParser2) -> AsyncGenerator[list[Event]]:
    """Yield the events of each line (``event.subscribe``); the list of a line without known events is empty.

    The first line says that the stream is connected. The parser keeps what it knows of the sessions over a reconnect.
    """
    async for line in lines:
        yield parser.parse(line)
