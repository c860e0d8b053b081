"""Connections that send nothing, or only a part of a request."""

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import anyio
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from opencode_mcp.http.address import Address
from opencode_mcp.http.transport import web_server
from opencode_mcp.http.transport.web_server import LimitedState, WebServer
from tests.harness.http import loopback_client

pytestmark = pytest.mark.anyio

PART = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
WHOLE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("served")(scope, receive, send)


@asynccontextmanager
async def running(most: int = 100) -> AsyncGenerator[int]:
    """Run a web server, and yield its port."""
    with Address("127.0.0.1").bind() as listener:
        server = WebServer(app)
        server.server_state = LimitedState(most)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [listener])
            await server.listens.wait()
            yield listener.getsockname()[1]
            server.should_exit = True


async def closed(stream: anyio.abc.SocketStream) -> None:
    """Wait until the server has closed a connection."""
    with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
        while await stream.receive():
            pass


@pytest.mark.parametrize("begin", [b"", PART, WHOLE + PART])
async def test_a_head_that_does_not_come_in_time_closes_its_connection(
    begin: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_server, "HEAD_SECONDS", 0.1)
    async with running() as port, await anyio.connect_tcp("127.0.0.1", port) as stream:
        if begin:
            await stream.send(begin)
        with anyio.fail_after(20):
            await closed(stream)


async def test_others_are_served_while_many_connections_send_nothing() -> None:
    async with running(most=20) as port:
        silent = [await anyio.connect_tcp("127.0.0.1", port) for _ in range(60)]
        for stream in silent[::2]:
            await stream.send(PART)
        async with loopback_client(f"http://127.0.0.1:{port}") as http:
            assert (await http.get("/")).text == "served"
            await closed(silent[0])
            assert (await http.get("/")).text == "served"
        for stream in silent:
            await stream.aclose()


async def test_connections_that_break_off_leave_nothing() -> None:
    async with running() as port:
        for _ in range(50):
            with socket.create_connection(("127.0.0.1", port)) as broken:
                broken.sendall(PART)
        async with loopback_client(f"http://127.0.0.1:{port}") as http:
            assert (await http.get("/")).text == "served"
