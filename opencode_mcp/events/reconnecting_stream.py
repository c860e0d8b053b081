"""Event stream that is kept open: connect, detect silence, reconnect after a break.

It yields ``Gap`` each time the stream is connected, events as they arrive, and ``Lost`` when OpenCode is gone. It knows
nothing of listeners.
"""

import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import anyio

from opencode_mcp.errors import BackendTimeout, BackendUnavailable, BridgeError, OperatorError
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary.backend_events import Event, Gap, Lost

logger = logging.getLogger(__name__)

# OpenCode 1 sends a heartbeat every 10 s, OpenCode 2 every 15 s; a stream without one is dead.
SILENCE_SECONDS = 22.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
GONE_SECONDS = 1.5
"""Time for which a server whose process is known refuses connections before it counts as gone."""
UNKNOWN_GONE_SECONDS = 8.0
"""The same for a server that no bridge started: a proxy or a network before it may fail, while it goes on."""
LONGEST_RETRY_SECONDS = 1.0
HEALTH_TIMEOUT_SECONDS = 2.0


async def follow_stream(client: OpenCodeClient, gone_seconds: float) -> AsyncGenerator[Event]:
    """Yield the events of every directory until OpenCode is gone.

    Args:
        client: Bound to one server, so that a reconnect never starts another.
        gone_seconds: Time for which it refuses connections before it counts as gone.

    Yields:
        ``Gap`` whenever the stream is connected, events as they arrive, and ``Lost`` as the last.
    """
    pause = FIRST_PAUSE_SECONDS
    while True:
        began = anyio.current_time()
        try:
            async with client.events(silence=SILENCE_SECONDS) as lines, aclosing(_events(lines)) as events:
                async for event in events:
                    # A stream that breaks soon after each start must not be opened again and again without a pause.
                    if anyio.current_time() - began > LONGEST_PAUSE_SECONDS:
                        pause = FIRST_PAUSE_SECONDS
                    yield event
        except BridgeError as error:
            logger.info("the event stream broke: %s", error)
        reason = await _why_gone(client, gone_seconds)
        if reason:
            yield Lost("", reason)
            return
        await anyio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads reconnects, no security
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


async def _events(lines: AsyncIterator[list[Event]]) -> AsyncGenerator[Event]:
    """Yield the events of all lines, after a ``Gap`` for the first line."""
    connected = False
    async for events in lines:
        if not connected:
            connected = True
            yield Gap("")
        for event in events:
            yield event


async def _why_gone(client: OpenCodeClient, gone_seconds: float) -> str:
    """Return the reason why the server counts as gone; empty while it lives or is only silent."""
    deadline, pause = anyio.current_time() + gone_seconds, FIRST_PAUSE_SECONDS
    while True:
        try:
            await client.health(timeout=HEALTH_TIMEOUT_SECONDS)
        except BackendTimeout:
            return ""
        except BackendUnavailable as error:
            if anyio.current_time() + pause > deadline:
                return error.message
        except OperatorError as error:
            return error.message
        else:
            return ""
        await anyio.sleep(pause)
        pause = min(pause * 2, LONGEST_RETRY_SECONDS)
