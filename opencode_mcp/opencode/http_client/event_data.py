"""Data of the server-sent events in a response, with a limit to their size, so that no server fills the memory."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

import httpx
from httpx_sse import EventSource

from opencode_mcp.errors import BackendFailed
from opencode_mcp.opencode.http_client.codec import TOO_LARGE

EVENT_LIMIT_CHARACTERS = 16 * 1024 * 1024
"""Longest event of a stream, in characters with its line ends."""
EVENT_ENDS = ("\n\n", "\r\r", "\r\n\r\n")


async def event_data(response: httpx.Response) -> AsyncGenerator[str]:
    """Yield the data of each event of a response that is not read yet.

    Raises:
        BackendFailed: An event is larger than ``EVENT_LIMIT_CHARACTERS``.
        SSEError: The response is no event stream.
    """
    source = EventSource(cast("httpx.Response", _BoundedEvents(response)))
    async with aclosing(source.aiter_sse()) as events:
        async for event in events:
            # httpx-sse makes an empty event of every heartbeat comment once it has seen an id.
            if event.data:
                yield event.data


class _BoundedEvents:
    """The part of a response that ``EventSource`` uses, with a limit for lines and events that do not end.

    Args:
        response: The response, not yet read.
    """

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.headers = response.headers

    async def aiter_text(self) -> AsyncGenerator[str]:
        """Yield the text piece by piece.

        Raises:
            BackendFailed: No event ended within ``EVENT_LIMIT_CHARACTERS``.
        """
        length = 0
        before = ""
        async for text in self._response.aiter_text():
            # The end of an event may be split between two pieces.
            joined = before + text
            end = max(joined.rfind(mark) for mark in EVENT_ENDS)
            length = len(joined) - end if end >= 0 else length + len(text)
            if length > EVENT_LIMIT_CHARACTERS:
                raise BackendFailed(
                    f"OpenCode sent an event of more than {EVENT_LIMIT_CHARACTERS >> 20} MB.",
                    hint="The stream is opened again.",
                    kind=TOO_LARGE,
                )
            before = text[-3:]
            yield text
