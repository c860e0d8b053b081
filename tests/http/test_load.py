"""Many clients at once, and many that are slow or broken: all others are served, and nothing stays behind.

``LOAD=large`` takes 200 clients and 1,000 connections.
"""

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import anyio
import pytest

from tests.harness.bridges.raw_http import RawHttp
from tests.harness.bridges.rawrpc import Host as Client
from tests.harness.bridges.served import Served, serving
from tests.harness.waiting import eventually
from tests.http.metrics.test_metrics import metrics
from tests.http.operator import MODERN, Operator

pytestmark = pytest.mark.anyio

IS_LARGE = os.environ.get("LOAD") == "large"
CLIENTS, CONNECTIONS = (200, 1000) if IS_LARGE else (50, 200)
SPARE_FILES = 10
"""Open files that the bridge may have more than before: those of the reading of its metrics."""
LEGACY = Client()
HEAD = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer TOKEN\r\nContent-Type: application/json\r\n"
BROKEN = (
    b"",
    HEAD,
    HEAD + b'Content-Length: 100\r\n\r\n{"jsonrpc"',
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
)
"""Beginnings after which a connection sends nothing more and reads nothing."""
RESET = struct.pack("ii", 1, 0)
"""Option of a socket with which its end is a reset."""


@pytest.fixture(scope="module")
def token(operator: Operator) -> str:
    return operator.principal("laptop")


@pytest.fixture(scope="module")
def served(operator: Operator, token: str) -> Iterator[Served]:
    assert token
    with serving(operator.launch, "--log-level", "ERROR", "--metrics", "0") as bridge:
        yield bridge


async def use(served: Served, token: str, number: int) -> None:
    """Be one client: of the 2026 era, or with a session of the 2025 era, which it ends or leaves behind."""
    if number % 2:
        answer = await RawHttp(served.url, token, MODERN).request("tools/list", {})
        assert len(answer["result"]["tools"]) > 20
        return
    params = {"protocolVersion": LEGACY.protocol, "capabilities": {}, "clientInfo": LEGACY.info}
    async with RawHttp(served.url, token, LEGACY).connection() as http:
        hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
        opened = await http.post(served.url, json=hello)
        session = {"Mcp-Session-Id": opened.headers["mcp-session-id"]}
        pinged = await http.post(served.url, json={"jsonrpc": "2.0", "id": 2, "method": "ping"}, headers=session)
        assert pinged.status_code == 200
        await http.delete(served.url, headers=session)


async def all_at_once(served: Served, token: str) -> None:
    """Be all clients at once."""
    async with anyio.create_task_group() as clients:
        for number in range(CLIENTS):
            clients.start_soon(use, served, token, number)


async def nothing_is_left(served: Served, files: float) -> None:
    """Wait until the bridge has no session, and no connection but that which reads its metrics."""

    async def look() -> bool:
        now = metrics(served)
        is_idle = now["opencode_mcp_sessions"] == 0 and now["opencode_mcp_connections"] == 0
        return is_idle and now.get("process_open_fds", 0) <= files + SPARE_FILES

    await eventually(look, seconds=60)


async def test_many_clients_are_served_at_once_and_nothing_stays(served: Served, token: str) -> None:
    await use(served, token, 1)
    files = metrics(served).get("process_open_fds", 0)
    await all_at_once(served, token)
    await nothing_is_left(served, files)


async def test_clients_are_served_beside_many_slow_and_broken_connections(served: Served, token: str) -> None:
    await use(served, token, 1)
    files = metrics(served).get("process_open_fds", 0)
    allow_files(CONNECTIONS + 4 * CLIENTS)
    address = urlsplit(served.base)
    with ExitStack() as connections:
        for number in range(CONNECTIONS):
            connection = connections.enter_context(socket.create_connection((address.hostname, address.port), 20))
            connection.sendall(BROKEN[number % len(BROKEN)].replace(b"TOKEN", token.encode()))
            if number % 3 == 0:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        await all_at_once(served, token)
    await nothing_is_left(served, files)
    assert served.process.poll() is None
    assert "Traceback" not in served.launch.printed()


def allow_files(count: int) -> None:
    """Raise the limit of open files of this process, where there is one and it may be raised."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count and hard >= count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
