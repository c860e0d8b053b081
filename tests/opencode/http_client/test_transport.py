"""Every failure of the network becomes an error of ours, and only reads are sent again."""

import inspect
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import httpx
import httpx_sse
import pytest

from opencode_mcp.errors import (
    BackendFailed,
    BackendTimeout,
    BackendUnavailable,
    BridgeError,
    InvalidSetting,
    Unauthorized,
    UnsupportedOperation,
)
from opencode_mcp.opencode.http_client.codec import HttpRequest, Reply, encode
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.opencode.http_client.transport import Transport, mapped_errors
from tests.harness.each import for_each
from tests.harness.faults.proxy import Proxy, proxy_to
from tests.harness.operations import operation
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode, free_port
from tests.wires import cut_on_its_way

pytestmark = pytest.mark.anyio

URL = "http://127.0.0.1:4096"
HEALTH = encode(operation("global.health"))
EVENTS = encode(operation("global.event"))
PATH = encode(operation("path.get"))
LOG = encode(operation("app.log"), body={"service": "test", "level": "info", "message": "Written once."})
"""A request that changes something, if only a file of OpenCode's."""
SECONDS = 15
KNOWN: dict[type[Exception], type[BridgeError]] = {
    httpx.ConnectError: BackendUnavailable,
    httpx.ConnectTimeout: BackendUnavailable,
    httpx.ReadTimeout: BackendTimeout,
    httpx.PoolTimeout: BackendTimeout,
    httpx.ReadError: BackendUnavailable,
    httpx.RemoteProtocolError: BackendUnavailable,
    httpx.InvalidURL: InvalidSetting,
    httpx.UnsupportedProtocol: InvalidSetting,
    httpx.DecodingError: BackendFailed,
    httpx_sse.SSEError: UnsupportedOperation,
}


def exceptions_of(module: object) -> list[type[Exception]]:
    """Every exception class that a package offers."""
    return [item for _, item in inspect.getmembers(module, inspect.isclass) if issubclass(item, Exception)]


@asynccontextmanager
async def opened(url: str, password: str = "") -> AsyncGenerator[Transport]:
    transport = Transport(Endpoint(url=url, password=password))
    try:
        with anyio.fail_after(SECONDS):
            yield transport
    finally:
        await transport.aclose()


@asynccontextmanager
async def through_a_proxy(server: OpenCode) -> AsyncGenerator[tuple[Proxy, Transport]]:
    async with proxy_to(server.url) as proxy, opened(proxy.url, server.password) as transport:
        yield proxy, transport


async def read_stream(
    transport: Transport,
    request: HttpRequest = EVENTS,
    *,
    silence: float = SECONDS,
    then: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Take in a stream until it ends, and do something after each event."""
    async with transport.events(request, silence=silence) as events:
        async for _ in events:
            if then:
                await then()


@for_each("kind", [*exceptions_of(httpx), *exceptions_of(httpx_sse)])
def test_every_exception_of_httpx_leaves_as_one_of_ours(kind: type[Exception]) -> None:
    with pytest.raises(BridgeError) as left, mapped_errors(URL):
        raise kind.__new__(kind)
    assert isinstance(left.value, KNOWN.get(kind, BridgeError))
    assert URL in left.value.message


def test_other_exceptions_pass() -> None:
    with pytest.raises(ZeroDivisionError), mapped_errors(URL):
        raise ZeroDivisionError


@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.ConnectTimeout])
def test_what_never_connected_was_not_sent(kind: type[Exception]) -> None:
    with pytest.raises(BackendUnavailable) as left, mapped_errors(URL):
        raise kind.__new__(kind)
    assert not left.value.sent


@pytest.mark.parametrize("kind", [httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError])
def test_what_broke_in_between_may_have_been_sent(kind: type[Exception]) -> None:
    with pytest.raises(BackendUnavailable) as left, mapped_errors(URL):
        raise kind.__new__(kind)
    assert left.value.sent


async def test_where_nothing_listens_the_error_names_the_address() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with opened(url) as transport:
        with pytest.raises(BackendUnavailable, match=url) as refused:
            await transport.send(HEALTH)
    assert not refused.value.sent


async def test_an_address_that_is_none_is_a_wrong_setting() -> None:
    async with opened("nowhere") as transport:
        with pytest.raises(InvalidSetting):
            await transport.send(HEALTH)


async def test_a_reply_has_a_status_lower_case_headers_and_the_whole_body(opencode_server: OpenCode) -> None:
    async with opened(opencode_server.url, opencode_server.password) as transport:
        reply = await transport.send(HEALTH)
    assert (reply.status, reply.media_type) == (200, "application/json")
    assert b'"healthy":true' in reply.body
    assert all(name == name.lower() for name in reply.headers)


async def test_a_wrong_password_is_an_ordinary_reply_of_401(opencode_server: OpenCode) -> None:
    async with opened(opencode_server.url, "wrong") as transport:
        assert (await transport.send(HEALTH)).status == 401


async def test_an_unknown_route_answers_with_a_page(opencode_server: OpenCode) -> None:
    async with opened(opencode_server.url, opencode_server.password) as transport:
        reply = await transport.send(HttpRequest(method="POST", path="/no/such/route"))
    assert (reply.status, reply.media_type) == (200, "text/html")


async def test_a_read_whose_connection_broke_is_sent_once_more(opencode_server: OpenCode) -> None:
    async with through_a_proxy(opencode_server) as (proxy, transport), cut_on_its_way(proxy):
        assert (await transport.send(HEALTH)).status == 200
    assert proxy.connections == 2


async def test_a_read_that_breaks_twice_is_given_up(opencode_server: OpenCode) -> None:
    async with through_a_proxy(opencode_server) as (proxy, transport):
        await proxy.refuse()
        with pytest.raises(BackendUnavailable, match=proxy.url):
            await transport.send(HEALTH)
    assert proxy.connections == 2


async def test_a_change_whose_connection_broke_is_never_sent_again(opencode_server: OpenCode) -> None:
    async with through_a_proxy(opencode_server) as (proxy, transport):
        # Else the request that opens the project would be the one that breaks.
        await transport.send(PATH)
        async with cut_on_its_way(proxy):
            with pytest.raises(BackendUnavailable) as broke:
                await transport.send(LOG)
    assert broke.value.sent
    assert proxy.connections == 1


async def test_a_server_that_takes_a_request_and_does_not_respond_is_timed_out(opencode_server: OpenCode) -> None:
    async with through_a_proxy(opencode_server) as (proxy, transport):
        proxy.stall()
        with pytest.raises(BackendTimeout, match=proxy.url):
            await transport.send(HEALTH, timeout=0.1)
        proxy.resume()


async def test_events_come_as_their_data_alone(opencode_server: OpenCode) -> None:
    async with (
        opened(opencode_server.url, opencode_server.password) as transport,
        transport.events(EVENTS, silence=SECONDS) as events,
    ):
        assert "server.connected" in await anext(events)


async def test_a_stream_that_sends_nothing_more_is_timed_out(opencode_server: OpenCode) -> None:
    async with opened(opencode_server.url, opencode_server.password) as transport:
        with pytest.raises(BackendTimeout):
            await read_stream(transport, silence=0.2)


async def test_a_stream_that_is_cut_is_unavailable(opencode_server: OpenCode) -> None:
    async with through_a_proxy(opencode_server) as (proxy, transport):
        with pytest.raises(BackendUnavailable):
            await read_stream(transport, then=proxy.cut)


async def test_a_stream_with_a_wrong_password_is_unauthorized(opencode_server: OpenCode) -> None:
    async with opened(opencode_server.url, "wrong") as transport:
        with pytest.raises(Unauthorized):
            await read_stream(transport)


async def test_what_sends_no_events_is_reported(scripted_model: ScriptedModel) -> None:
    async with opened(scripted_model.url) as transport:
        with pytest.raises(UnsupportedOperation, match=scripted_model.url):
            await read_stream(transport, HttpRequest(method="GET", path="/requests"))


async def test_many_requests_share_a_few_connections(opencode_server: OpenCode) -> None:
    replies: list[Reply] = []

    async with through_a_proxy(opencode_server) as (proxy, transport):

        async def ask() -> None:
            replies.append(await transport.send(HEALTH))

        async with anyio.create_task_group() as tasks:
            for _ in range(100):
                tasks.start_soon(ask)
        assert proxy.connections <= 64
    assert [reply.status for reply in replies] == [200] * 100


async def test_the_password_is_in_no_text(opencode_server: OpenCode, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with opened(opencode_server.url, opencode_server.password) as transport:
        await transport.send(HEALTH)
        shown = f"{transport.endpoint!r} {transport!r} {caplog.text}"
    assert opencode_server.password not in shown
