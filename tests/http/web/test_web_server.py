"""Connections that send nothing, or only a part of a request."""

import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager, suppress

import anyio
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from opencode_mcp.http.address import Address
from opencode_mcp.http.web import web_server
from opencode_mcp.http.web.web_server import LimitedState, WebServer
from tests.harness.servers.http import loopback_client

pytestmark = pytest.mark.anyio

FEW_FILES = 300
"""Open files that a server may have."""
PART = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
WHOLE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
UNREAD = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
"""A request whose body never comes, and is not needed for the response."""


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


@pytest.mark.parametrize("begin", [b"", PART, WHOLE + PART, UNREAD])
async def test_a_head_that_does_not_come_in_time_closes_its_connection(
    begin: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_server, "HEAD_SECONDS", 0.1)
    async with running() as port, await anyio.connect_tcp("127.0.0.1", port) as stream:
        if begin:
            await stream.send(begin)
        with anyio.fail_after(20):
            await closed(stream)


async def test_others_are_served_while_many_connections_send_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with running(most=20) as port:
        silent = [await anyio.connect_tcp("127.0.0.1", port) for _ in range(60)]
        for number, stream in enumerate(silent):
            with suppress(anyio.BrokenResourceError):
                await stream.send((b"", PART, WHOLE, UNREAD)[number % 4])
        async with loopback_client(f"http://127.0.0.1:{port}") as http:
            assert (await http.get("/")).text == "served"
            await closed(silent[0])
            assert (await http.get("/")).text == "served"
        for stream in silent:
            await stream.aclose()
    assert caplog.text.count("all 20 connections are open") == 1


async def test_connections_that_break_off_leave_nothing() -> None:
    async with running() as port:
        for _ in range(50):
            with socket.create_connection(("127.0.0.1", port)) as broken:
                broken.sendall(PART)
        async with loopback_client(f"http://127.0.0.1:{port}") as http:
            assert (await http.get("/")).text == "served"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of open files.")
async def test_a_burst_of_connections_never_takes_the_last_open_file() -> None:
    command = (sys.executable, "-m", "tests.http.web.few_files", str(FEW_FILES))
    with ExitStack() as burst:
        async with await anyio.open_process(command, stderr=None) as process:
            assert process.stdout
            port = int(await process.stdout.receive())
            for number in range(2 * FEW_FILES):
                connection = burst.enter_context(socket.create_connection(("127.0.0.1", port)))
                with suppress(ConnectionError):
                    connection.sendall((b"", WHOLE, UNREAD)[number % 3])
            async with loopback_client(f"http://127.0.0.1:{port}") as http:
                assert (await http.get("/")).text == "served"
            process.terminate()
            assert process.stdout
            assert await process.stdout.receive() == b"0 failures\n"
