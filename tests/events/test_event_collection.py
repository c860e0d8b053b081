"""Events are gathered within bounds, and only those that are wanted and may be seen."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from opencode_mcp.errors import BackendTimeout, BackendUnavailable
from opencode_mcp.events import event_collection
from opencode_mcp.events.event_collection import EventFilter, collect_until, directory_of, session_of
from opencode_mcp.opencode.v1.event_parser import is_noise
from tests.harness.each import for_each

pytestmark = pytest.mark.anyio

Json = dict[str, Any]


def event(kind: str, session: str = "", **more: object) -> Json:
    return {"type": kind, "properties": {"sessionID": session} if session else {}, **more}


@asynccontextmanager
async def stream(events: Sequence[Json], end: Exception | None = None) -> AsyncGenerator[AsyncIterator[str]]:
    """A stream that stays open after its events, unless it is to end."""

    async def lines() -> AsyncGenerator[str]:
        for item in events:
            yield json.dumps(item, separators=(",", ":"))
        if end is None:
            await anyio.sleep_forever()
        if not isinstance(end, StopAsyncIteration):
            assert end
            raise end

    yield lines()


async def everything(_event: Mapping[str, Any]) -> bool:
    return True


def kinds(gathered: event_collection.CollectedEvents) -> list[str]:
    return [item["type"] for item in gathered.events]


async def test_it_stops_after_the_event_that_was_waited_for() -> None:
    events = [event("a"), event("b"), event("c")]
    gathered = await collect_until(stream(events), EventFilter(seconds=60, until="b", count=10), everything)
    assert (kinds(gathered), gathered.ended) == (["a", "b"], "type")


async def test_it_stops_at_the_count() -> None:
    gathered = await collect_until(stream([event("a")] * 5), EventFilter(seconds=60, count=2), everything)
    assert (kinds(gathered), gathered.ended) == (["a", "a"], "count")


async def test_it_stops_when_the_time_is_over_with_what_came() -> None:
    gathered = await collect_until(stream([event("a")]), EventFilter(seconds=0.05, count=10), everything)
    assert (kinds(gathered), gathered.ended) == (["a"], "time")


async def test_it_stops_at_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_collection, "MOST_BYTES", 100)
    gathered = await collect_until(
        stream([event("a", text="x" * 60)] * 5), EventFilter(seconds=60, count=10), everything
    )
    assert (kinds(gathered), gathered.ended) == (["a", "a"], "size")


@pytest.mark.parametrize("end", [StopAsyncIteration(), BackendUnavailable("gone"), BackendTimeout("silent")])
async def test_a_stream_that_ends_gives_what_came(end: Exception) -> None:
    gathered = await collect_until(stream([event("a")], end), EventFilter(seconds=60, count=10), everything)
    assert (kinds(gathered), gathered.ended) == (["a"], "closed")


async def test_a_stream_that_does_not_open_is_an_error() -> None:
    @asynccontextmanager
    async def closed() -> AsyncGenerator[AsyncIterator[str]]:
        raise BackendUnavailable("nobody answers")
        yield  # pragma: no cover

    with pytest.raises(BackendUnavailable):
        await collect_until(closed(), EventFilter(seconds=60, count=1), everything)


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        ({}, ["session.idle", "message.updated", "todo.updated"]),
        ({"types": {"session.idle"}}, ["session.idle"]),
        ({"types": {"message.*", "todo.*"}}, ["message.updated", "todo.updated"]),
        ({"types": {"server.heartbeat"}}, ["server.heartbeat"]),
        ({"sessions": {"ses_2"}}, ["message.updated"]),
        ({"types": {"session.idle"}, "until": "todo.updated"}, ["session.idle", "todo.updated"]),
    ],
)
async def test_only_what_is_wanted_is_kept(wanted: Json, shown: list[str]) -> None:
    events = [
        event("server.heartbeat"),
        event("session.idle", "ses_1"),
        event("message.updated", "ses_2"),
        event("todo.updated", "ses_1"),
    ]
    end = StopAsyncIteration()
    gathered = await collect_until(stream(events, end), EventFilter(seconds=60, count=10, **wanted), everything)
    assert kinds(gathered) == shown


async def test_what_may_not_be_seen_is_not_counted() -> None:
    async def visible(item: Mapping[str, Any]) -> bool:
        return session_of(item) == "ses_own"

    events = [event("a", "ses_other"), event("b", "ses_own")]
    gathered = await collect_until(stream(events), EventFilter(seconds=60, count=1), visible)
    assert kinds(gathered) == ["b"]


async def test_second_copies_are_left_out() -> None:
    events = [{"directory": "/p", "payload": {"type": "sync"}}, {"directory": "/p", "payload": event("a")}]
    wanted = EventFilter(seconds=60, count=1, is_noise=is_noise)
    gathered = await collect_until(stream(events), wanted, everything)
    assert gathered.events == [{"directory": "/p", "payload": event("a")}]


@for_each(
    ("item", "session", "directory"),
    [
        (event("a", "ses_1"), "ses_1", ""),
        ({"type": "session.updated", "properties": {"info": {"id": "ses_1"}}}, "ses_1", ""),
        ({"type": "message.updated", "properties": {"info": {"id": "msg_1", "sessionID": "ses_1"}}}, "ses_1", ""),
        ({"type": "message.part.updated", "properties": {"part": {"sessionID": "ses_1"}}}, "ses_1", ""),
        ({"directory": "/p", "payload": event("a", "ses_1")}, "ses_1", "/p"),
        ({"type": "a", "location": {"directory": "/p"}, "data": {"sessionID": "ses_1"}}, "ses_1", "/p"),
        ({"type": "form.created", "data": {"form": {"id": "frm_1", "sessionID": "ses_1"}}}, "ses_1", ""),
        ({"type": "server.connected"}, "", ""),
    ],
)
def test_an_event_says_whose_it_is(item: Json, session: str, directory: str) -> None:
    assert (session_of(item), directory_of(item)) == (session, directory)


@pytest.mark.parametrize(
    "line",
    ["", "nothing", "[]", "1", "[" * 200_000, '{"payload": 1}', '{"type": "a", "properties": []}', '{"location": "x"}'],
    ids=lambda line: line[:20],
)
async def test_a_line_of_an_unknown_form_ends_nothing(line: str) -> None:
    @asynccontextmanager
    async def lines() -> AsyncGenerator[AsyncIterator[str]]:
        async def each() -> AsyncGenerator[str]:
            yield line
            yield json.dumps(event("b"), separators=(",", ":"))

        yield each()

    async def visible(item: Mapping[str, Any]) -> bool:
        return not directory_of(item) and not session_of(item)

    gathered = await collect_until(lines(), EventFilter(seconds=60, until="b", count=10), visible)
    assert gathered.ended == "type"
