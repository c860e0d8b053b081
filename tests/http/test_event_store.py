"""Events that a client of the 2025 era can get again."""

import pytest
from mcp.server.streamable_http import EventMessage
from mcp_types import JSONRPCNotification

from opencode_mcp.http.transport.event_store import MOST_CHARACTERS, MOST_EVENTS, MOST_MESSAGES, SessionEvents

pytestmark = pytest.mark.anyio


def message(text: str) -> JSONRPCNotification:
    return JSONRPCNotification(jsonrpc="2.0", method="notifications/message", params={"data": text})


async def after(events: SessionEvents, last: str) -> tuple[str | None, list[str]]:
    """Return the stream of an event, and the texts of the later messages in it."""
    texts: list[str] = []

    async def take(event: EventMessage) -> None:
        assert isinstance(event.message, JSONRPCNotification)
        texts.append((event.message.params or {})["data"])

    return await events.replay_events_after(last, take), texts


async def test_a_stream_is_replayed_without_the_others() -> None:
    events = SessionEvents()
    first = await events.store_event("7", None)
    await events.store_event("7", message("a"))
    await events.store_event("8", message("other"))
    await events.store_event("7", message("b"))
    assert await after(events, first) == ("7", ["a", "b"])


@pytest.mark.parametrize("unknown", ["", "0", "99", "x", "1 "])
async def test_an_unknown_event_replays_nothing(unknown: str) -> None:
    events = SessionEvents()
    await events.store_event("7", message("a"))
    assert await after(events, unknown) == (None, [])


async def test_the_oldest_events_are_dropped() -> None:
    events = SessionEvents()
    first = await events.store_event("7", None)
    for number in range(MOST_MESSAGES):
        await events.store_event("8", None)
        await events.store_event("7", message(str(number)))
    assert len((await after(events, first))[1]) == MOST_MESSAGES
    last = await events.store_event("7", message("last"))
    assert await after(events, first) == (None, [])
    await events.store_event("7", message("x" * MOST_CHARACTERS))
    assert await after(events, last) == (None, [])


async def test_places_without_messages_are_dropped_too() -> None:
    events = SessionEvents()
    first = await events.store_event("7", None)
    for _ in range(MOST_EVENTS):
        await events.store_event("7", None)
    assert await after(events, first) == (None, [])
