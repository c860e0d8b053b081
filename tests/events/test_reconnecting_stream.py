"""One stream, kept open: it reports each connection, reconnects after each break, and ends only if OpenCode is gone."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import anyio
import httpx
import pytest

from opencode_mcp.events import reconnecting_stream
from opencode_mcp.events.reconnecting_stream import GONE_SECONDS, follow_stream
from opencode_mcp.launcher.health import connected
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.opencode.v1 import event_parser
from opencode_mcp.opencode.vocabulary import backend_events
from opencode_mcp.opencode.vocabulary.backend_events import (
    Event,
    Gap,
    Lost,
    SessionChanged,
)
from tests.harness.faults.proxy import Proxy
from tests.harness.processes.process import kill
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode, running_opencode
from tests.scripted_model.script import bash, script, text
from tests.wires import connects, holds_something

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

SECONDS = 60
PAUSE = 0.1


@asynccontextmanager
async def following(endpoint: Endpoint) -> AsyncGenerator[AsyncIterator[Event]]:
    """The events of an OpenCode, for a while."""
    with anyio.fail_after(SECONDS):
        async with connected(endpoint) as client, aclosing(follow_stream(client, GONE_SECONDS)) as events:
            yield events


async def until(events: AsyncIterator[Event], wanted: Callable[[Event], bool]) -> Event:
    """Read up to an event."""
    async for event in events:
        if wanted(event):
            return event
    raise EOFError("The stream ended first.")


def is_gap(event: Event) -> bool:
    return isinstance(event, Gap)


async def make_session(http: httpx.AsyncClient) -> str:
    return (await http.post("/session", json={})).raise_for_status().json()["id"]


async def assert_it_reports_new_sessions(events: AsyncIterator[Event], http: httpx.AsyncClient) -> None:
    """OpenCode reports a stream some milliseconds before it sends events, so one session may not be enough."""
    made: list[str] = []

    async def keep_making() -> None:
        while True:
            made.append(await make_session(http))
            await anyio.sleep(PAUSE)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keep_making)
        events_seen = await until(events, lambda event: isinstance(event, SessionChanged))
        tasks.cancel_scope.cancel()
        assert events_seen.session_id in made


async def assert_nothing_comes(events: AsyncIterator[Event]) -> None:
    assert [event async for event in events] == []


async def test_it_begins_with_a_gap_and_reports_what_happens_then(endpoint: Endpoint, http: httpx.AsyncClient) -> None:
    async with following(endpoint) as events:
        assert await anext(events) == Gap("")
        await assert_it_reports_new_sessions(events, http)


async def test_every_line_of_a_real_run_is_read_or_left_out(
    endpoint: Endpoint, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []

    parse = event_parser.EventParser1.parse

    def keep(self: event_parser.EventParser1, data: str) -> list[Event]:
        lines.append(data)
        return parse(self, data)

    monkeypatch.setattr(event_parser.EventParser1, "parse", keep)
    kinds: set[type[Event]] = set()
    async with following(endpoint) as events:
        await assert_it_reports_new_sessions(events, http)
        session = await make_session(http)
        body = {"parts": [{"type": "text", "text": script(bash("ls"), text("Listed."))}]}
        await http.post(f"/session/{session}/prompt_async", json=body)
        async for event in events:
            kinds.add(type(event))
            if isinstance(event, backend_events.Idle):
                break
    expected = {
        backend_events.StatusChanged,
        backend_events.MessageChanged,
        backend_events.PartChanged,
        backend_events.PartGrew,
        backend_events.SessionChanged,
    }
    assert expected <= kinds
    assert not any(event_parser.is_noise(line) for line in lines)


async def test_after_a_cut_there_is_a_gap_and_it_goes_on(
    endpoint: Endpoint, proxy: Proxy, http: httpx.AsyncClient
) -> None:
    async with following(endpoint) as events:
        await anext(events)
        await proxy.cut()
        await until(events, is_gap)
        await assert_it_reports_new_sessions(events, http)


async def test_each_of_many_cuts_is_a_gap(endpoint: Endpoint, proxy: Proxy) -> None:
    async with following(endpoint) as events:
        for _ in range(5):
            await until(events, is_gap)
            await proxy.cut()
        await until(events, is_gap)


async def test_a_stream_that_sends_nothing_more_is_opened_again(
    endpoint: Endpoint, proxy: Proxy, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconnecting_stream, "SILENCE_SECONDS", 0.3)
    monkeypatch.setattr(reconnecting_stream, "HEALTH_TIMEOUT_SECONDS", 0.3)
    async with following(endpoint) as events:
        await anext(events)
        opened = proxy.connections
        proxy.stall()
        async with anyio.create_task_group() as tasks:

            async def heal() -> None:
                await holds_something(proxy)
                monkeypatch.setattr(reconnecting_stream, "SILENCE_SECONDS", SECONDS)
                proxy.resume()

            tasks.start_soon(heal)
            await until(events, is_gap)
        assert proxy.connections > opened
        await assert_it_reports_new_sessions(events, http)


async def test_a_server_that_does_not_respond_is_never_given_up(
    endpoint: Endpoint, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SILENCE_SECONDS", "HEALTH_TIMEOUT_SECONDS", "LONGEST_PAUSE_SECONDS"):
        monkeypatch.setattr(reconnecting_stream, name, 0.05)
    async with following(endpoint) as events:
        await anext(events)
        proxy.stall()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(assert_nothing_comes, events)
            await connects(proxy, times=4)
            tasks.cancel_scope.cancel()


async def test_a_server_that_refuses_connections_is_lost_and_the_stream_ends(endpoint: Endpoint, proxy: Proxy) -> None:
    async with following(endpoint) as events:
        await anext(events)
        await proxy.refuse()
        rest = [event async for event in events]
    assert isinstance(rest[-1], Lost)
    assert proxy.url in rest[-1].reason


async def test_a_server_that_is_back_soon_is_not_lost(endpoint: Endpoint, proxy: Proxy) -> None:
    async with following(endpoint) as events:
        await anext(events)
        await proxy.refuse()

        async def accept() -> None:
            await connects(proxy)
            proxy.accept()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(accept)
            assert is_gap(await anext(events))


async def test_a_server_that_takes_another_password_now_is_lost(opencode_server: OpenCode) -> None:
    async with following(Endpoint(url=opencode_server.url, password="old")) as events:
        received = [event async for event in events]
    assert [type(event) for event in received] == [Lost]
    assert isinstance(received[0], Lost)
    assert "password" in received[0].reason


async def test_a_killed_server_is_lost(opencode_environment: dict[str, str], tmp_path: Path) -> None:
    with running_opencode(opencode_environment, tmp_path / "opencode.log") as server:
        async with following(Endpoint(url=server.url, password=server.password)) as events:
            await anext(events)
            kill(server.process)
            rest = [event async for event in events]
    assert [type(event) for event in rest] == [Lost]


async def test_something_else_at_the_address_is_lost(scripted_model: ScriptedModel) -> None:
    async with following(Endpoint(url=scripted_model.url)) as events:
        assert [type(event) async for event in events] == [Lost]
