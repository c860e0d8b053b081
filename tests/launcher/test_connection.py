"""One way to OpenCode: found at first need, shared by all, and found again once it is gone."""

from contextlib import aclosing

import anyio
import pytest

from opencode_mcp.errors import BackendTimeout, BackendUnavailable
from opencode_mcp.launcher import connection as connection_module
from opencode_mcp.launcher.connection import Connection
from opencode_mcp.opencode.http_client.codec import HttpRequest, encode
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from tests.harness.faults.proxy import proxy_to
from tests.harness.operations import operation
from tests.harness.servers.opencode import OpenCode, free_port
from tests.wires import Route, holds_something

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

HEALTH = encode(operation("global.health"))
PATH = encode(operation("path.get"))
LOG = encode(operation("app.log"), body={"service": "test", "level": "info", "message": "Written once."})
SECONDS = 20


def at(server: OpenCode, url: str = "") -> Endpoint:
    return Endpoint(url=url or server.url, password=server.password)


def nowhere() -> Endpoint:
    return Endpoint(url=f"http://127.0.0.1:{free_port()}")


async def test_nothing_is_looked_for_before_the_first_call(opencode_server: OpenCode) -> None:
    route = Route(at(opencode_server))
    async with aclosing(Connection(route)) as connection:
        assert (connection.endpoint, route.located) == (None, 0)


async def test_calls_at_the_same_time_share_one_search(opencode_server: OpenCode) -> None:
    route = Route(at(opencode_server))
    async with aclosing(Connection(route)) as connection:
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(connection.send, HEALTH)
        assert route.located == 1
        assert connection.endpoint == at(opencode_server)


@pytest.mark.parametrize("asked", [HEALTH, LOG], ids=["a read", "a change"])
async def test_what_never_reached_a_server_is_sent_to_the_next_one(
    opencode_server: OpenCode, asked: HttpRequest
) -> None:
    async with aclosing(Connection(Route(nowhere(), at(opencode_server)))) as connection:
        assert (await connection.send(asked)).status == 200


async def test_without_a_next_one_the_failure_names_where_it_looked() -> None:
    gone = nowhere()
    async with aclosing(Connection(Route(gone))) as connection:
        with pytest.raises(BackendUnavailable, match=gone.url):
            await connection.send(HEALTH)


async def test_a_change_that_a_server_may_have_received_is_not_sent_to_the_next_one(
    opencode_server: OpenCode,
) -> None:
    async with proxy_to(opencode_server.url) as proxy:
        route = Route(at(opencode_server, proxy.url), at(opencode_server))
        async with aclosing(Connection(route)) as connection:
            # Else the request that opens the project would be the one that breaks.
            await connection.send(PATH)
            await proxy.refuse()
            with pytest.raises(BackendUnavailable) as broke:
                await connection.send(LOG)
            assert (broke.value.sent, route.located) == (True, 1)
            assert (await connection.send(LOG)).status == 200
            assert connection.endpoint == at(opencode_server)


async def test_a_read_that_a_server_may_have_received_is_sent_to_the_next_one(opencode_server: OpenCode) -> None:
    async with proxy_to(opencode_server.url) as proxy:
        route = Route(at(opencode_server, proxy.url), at(opencode_server))
        await proxy.refuse()
        async with aclosing(Connection(route)) as connection:
            assert (await connection.send(HEALTH)).status == 200
            assert connection.endpoint == at(opencode_server)


async def test_after_a_request_that_was_never_answered_the_next_one_searches_for_a_server_that_answers(
    opencode_server: OpenCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "READ_TIMEOUT_SECONDS", 0.5)
    async with proxy_to(opencode_server.url) as proxy:
        route = Route(at(opencode_server, proxy.url), at(opencode_server))
        async with aclosing(Connection(route)) as connection:
            await connection.send(HEALTH)
            proxy.stall()
            with pytest.raises(BackendTimeout):
                await connection.send(HEALTH, timeout=0.25)
            assert route.located == 1
            with pytest.raises(BackendTimeout):
                await connection.send(HEALTH, timeout=0.5)
            assert (await connection.send(HEALTH)).status == 200
            assert (route.located, connection.endpoint) == (2, at(opencode_server))


async def test_a_server_found_again_keeps_the_requests_that_are_under_way(opencode_server: OpenCode) -> None:
    async with (
        proxy_to(opencode_server.url) as proxy,
        aclosing(Connection(Route(at(opencode_server, proxy.url)))) as connection,
        anyio.create_task_group() as tasks,
    ):
        transport = await connection.transport()
        proxy.stall()
        tasks.start_soon(connection.send, HEALTH)
        await holds_something(proxy)
        connection.forget(transport)
        assert await connection.transport() is transport
        proxy.resume()


async def test_forgetting_an_old_transport_keeps_the_new_one(opencode_server: OpenCode) -> None:
    async with aclosing(Connection(Route(nowhere(), at(opencode_server)))) as connection:
        old = await connection.transport()
        connection.forget(old)
        new = await connection.transport()
        connection.forget(old)
        assert await connection.transport() is new


async def test_it_carries_event_streams(opencode_server: OpenCode) -> None:
    stream = encode(operation("global.event"))
    with anyio.fail_after(SECONDS):
        async with (
            aclosing(Connection(Route(at(opencode_server)))) as connection,
            connection.events(stream, silence=SECONDS) as events,
        ):
            assert "server.connected" in await anext(events)


async def test_once_closed_it_looks_for_nothing_more(opencode_server: OpenCode) -> None:
    route = Route(at(opencode_server), at(opencode_server))
    connection = Connection(route)
    await connection.send(HEALTH)
    transport = await connection.transport()
    await connection.aclose()
    for late in (connection, transport):
        with pytest.raises(BackendUnavailable):
            await late.send(HEALTH)
    assert route.located == 1
