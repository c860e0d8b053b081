"""Events that a client of the 2025 era can get again."""

import pytest
from mcp.server.streamable_http import EventMessage
from mcp_types import JSONRPCNotification, JSONRPCResponse

from opencode_mcp.http.web.event_store import MOST_CHARACTERS, MOST_EVENTS, MOST_MESSAGES, SessionEvents

pytestmark = pytest.mark.anyio


def message(text: str) -> JSONRPCNotification:
    return JSONRPCNotification(jsonrpc="2.0", method="notifications/message", params={"data": text})


def response(stream: str) -> JSONRPCResponse:
    return JSONRPCResponse(jsonrpc="2.0", id=stream, result={})


async def after(events: SessionEvents, last: str) -> tuple[str | None, list[str]]:
    """Return the stream of an event, and the texts of the later messages in it."""
    texts: list[str] = []

    async def take(event: EventMessage) -> None:
        match event.message:
            case JSONRPCResponse():
                texts.append("response")
            case JSONRPCNotification(params=params):
                texts.append((params or {})["data"])
            case other:
                raise AssertionError(other)

    return await events.replay_events_after(last, take), texts


async def test_a_stream_is_replayed_without_the_others() -> None:
    events = SessionEvents()
    first = await events.store_event("7", None)
    await events.store_event("7", message("a"))
    await events.store_event("8", message("other"))
    await events.store_event("7", message("b"))
    assert await after(events, first) == ("7", ["a", "b"])


@pytest.mark.parametrize("unknown", ["", "0", "0-7", "1", "99", "99-7", "1-8", "x", "1 -7", "-1-7", "9" * 5000 + "-7"])
async def test_an_unknown_event_replays_nothing(unknown: str) -> None:
    events = SessionEvents()
    await events.store_event("7", message("a"))
    assert await after(events, unknown) == (None, [])


async def filled(events: SessionEvents) -> None:
    """Have events of another stream take the place of all that is kept."""
    for _ in range(MOST_MESSAGES):
        await events.store_event("other", message("x"))


async def test_the_oldest_events_are_dropped() -> None:
    events = SessionEvents()
    first = await events.store_event("7", None)
    for number in range(MOST_MESSAGES + 1):
        await events.store_event("8", None)
        await events.store_event("7", message(str(number)))
    assert (await after(events, first))[1] == [str(number) for number in range(1, MOST_MESSAGES + 1)]
    await events.store_event("7", message("x" * MOST_CHARACTERS))
    assert await after(events, first) == ("7", [])


async def test_places_without_messages_are_dropped_too() -> None:
    events = SessionEvents()
    first = await events.store_event("7", message("a"))
    for _ in range(MOST_EVENTS):
        await events.store_event("8", None)
    assert await after(events, first) == ("7", [])


async def test_a_stream_whose_last_known_event_was_dropped_goes_on() -> None:
    events = SessionEvents()
    first = await events.store_event("a/7 \n", None)
    await filled(events)
    assert await after(events, first) == ("a/7 \n", [])
    await events.store_event("a/7 \n", response("7"))
    assert await after(events, first) == ("a/7 \n", ["response"])


async def test_a_stream_whose_response_was_dropped_cannot_be_resumed() -> None:
    events = SessionEvents()
    first = await events.store_event("7", None)
    await events.store_event("7", response("7"))
    assert events.can_resume(first)
    await filled(events)
    assert not events.can_resume(first)
    assert await after(events, first) == (None, [])


async def test_nothing_comes_after_a_response() -> None:
    events = SessionEvents()
    last = await events.store_event("7", response("7"))
    await events.store_event("7", None)
    assert not events.can_resume(last)


async def test_what_comes_during_a_replay_is_sent_too() -> None:
    events = SessionEvents()
    first = await events.store_event("7", None)
    await events.store_event("7", message("a"))
    sent: list[str | None] = []

    async def take(event: EventMessage) -> None:
        sent.append(event.event_id)
        if len(sent) == 1:
            await events.store_event("7", response("7"))

    assert await events.replay_events_after(first, take) == "7"
    assert sent == ["2-7", "3-7"]
