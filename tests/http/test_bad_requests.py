"""Requests that no correct client sends: each is refused with a status that says why, and the bridge serves on."""

import json
import socket
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import pytest

from opencode_mcp.http.failure_rate_limit import ATTEMPTS
from tests.harness.bridges.rawrpc import Host as Client
from tests.harness.bridges.served import Served, serving
from tests.harness.servers.http import loopback_client
from tests.http.operator import HEADERS, LIST, MODERN, Operator, listed

pytestmark = pytest.mark.anyio

LEGACY = Client()
JSON = {"Content-Type": "application/json"}
NOT_MODERN = {"MCP-Protocol-Version": "", "Mcp-Method": ""}
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": LEGACY.protocol, "capabilities": {}, "clientInfo": LEGACY.info},
}
DEEP = b"[" * 100_000
CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"_meta": MODERN.envelope(), "name": "opencode_status"},
}


def dumped(value: object) -> bytes:
    return json.dumps(value).encode()


BODIES: Mapping[str, tuple[dict[str, str], bytes, int]] = {
    "wrong content type": ({"Content-Type": "text/plain"}, dumped(LIST), 400),
    "no content type": ({"Content-Type": ""}, dumped(LIST), 400),
    "form": ({"Content-Type": "application/x-www-form-urlencoded"}, b"a=b", 400),
    "accepts html": ({"Accept": "text/html"}, dumped(LIST), 406),
    "legacy accepts json only": ({"Accept": "application/json", **NOT_MODERN}, dumped(HELLO), 406),
    "batch": ({}, dumped([LIST, LIST]), 400),
    "legacy batch": (NOT_MODERN, dumped([HELLO, HELLO]), 400),
    "no json": ({}, b"{", 400),
    "legacy no json": (NOT_MODERN, b"{", 400),
    "empty": ({}, b"", 400),
    "number": ({}, b"5", 400),
    "null": ({}, b"null", 400),
    "wrong encoding": ({}, b'{"jsonrpc": "\xff\xfe"}', 400),
    "deep": ({}, DEEP, 400),
    "legacy deep": (NOT_MODERN, DEEP, 400),
    "no jsonrpc": ({}, dumped({"id": 1, "method": "tools/list"}), 400),
    "wrong jsonrpc": ({}, dumped(LIST | {"jsonrpc": "1.0"}), 400),
    "id is an object": ({}, dumped(LIST | {"id": {}}), 400),
    "method is a number": ({}, dumped(LIST | {"method": 5}), 400),
    "no envelope": ({}, dumped(LIST | {"params": {}}), 400),
    "params is a list": ({}, dumped(LIST | {"params": [1]}), 400),
    "other method in the header": ({"Mcp-Method": "tools/call"}, dumped(LIST), 400),
    "no name in the header": ({"Mcp-Method": "tools/call"}, dumped(CALL), 400),
    "no version header": ({"MCP-Protocol-Version": ""}, dumped(LIST), 400),
    "unknown version": ({"MCP-Protocol-Version": "1999-01-01"}, dumped(LIST), 400),
    "other version": ({"MCP-Protocol-Version": LEGACY.protocol}, dumped(LIST), 400),
    "no session": (
        {"MCP-Protocol-Version": LEGACY.protocol, "Mcp-Method": ""},
        dumped({"jsonrpc": "2.0", "id": 1, "method": "ping"}),
        400,
    ),
    "unknown session": (
        {"MCP-Protocol-Version": LEGACY.protocol, "Mcp-Method": "", "Mcp-Session-Id": "0" * 32},
        dumped({"jsonrpc": "2.0", "id": 1, "method": "ping"}),
        404,
    ),
    "large": ({}, b" " * (4 * 1024 * 1024 + 1), 413),
    "long header": ({"X-Long": "x" * 40_000}, dumped(LIST), 431),
    "header in several parts": ({"X-Long": "x" * 400_000}, dumped(LIST), 431),
    "many headers": ({f"X-{n}": "x" * 100 for n in range(500)}, dumped(LIST), 431),
}
"""Headers that differ from those of a right request, body, and status of the response."""
HEAD = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer TOKEN\r\n"
RAW: Mapping[str, bytes] = {
    "no http": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "words": b"hello, bridge\r\n\r\n",
    "user before the host": b"GET /healthz HTTP/1.1\r\nHost: localhost:1@a.example\r\nConnection: close\r\n\r\n",
    "url of another host": b"GET http://a.example/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "no host": b"POST /mcp HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "length is a word": HEAD + b"Content-Length: many\r\n\r\n",
    "negative length": HEAD + b"Content-Length: -1\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "length of two kinds": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HEAD + b"\r\n",
    "wrong chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "unknown encoding": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    "nul in a header": HEAD + b"X-Nul: a\x00b\r\nContent-Length: 0\r\n\r\n",
    "blank before a colon": HEAD + b"Content-Length : 0\r\n\r\n",
}
"""Requests that are no HTTP."""


@pytest.fixture(scope="module")
def token(operator: Operator) -> str:
    return operator.principal("laptop")


@pytest.fixture(scope="module")
def served(operator: Operator, token: str) -> Iterator[Served]:
    assert token
    with serving(operator.launch, "--log-level", "WARNING") as bridge:
        yield bridge


@pytest.mark.parametrize("name", BODIES)
async def test_a_wrong_request_is_refused_in_a_few_words(served: Served, token: str, name: str) -> None:
    different, body, status = BODIES[name]
    given = HEADERS | JSON | {"Authorization": f"Bearer {token}"} | different
    headers = {name: value for name, value in given.items() if value}
    async with loopback_client(served.base) as http:
        response = await http.post("/mcp", content=body, headers=headers)
    assert response.status_code == status, response.text
    assert "mcp-session-id" not in response.headers
    check_brief(served, token, response.text)
    assert (await listed(served, token)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("PUT", "/mcp", 405), ("PATCH", "/mcp", 405), ("GET", "/mcp", 400), ("DELETE", "/mcp", 400), ("POST", "/", 404)],
)
async def test_a_wrong_method_or_path_is_refused(
    served: Served, token: str, method: str, path: str, status: int
) -> None:
    headers = {"Authorization": f"Bearer {token}", "Accept": HEADERS["Accept"], **JSON}
    async with loopback_client(served.base) as http:
        response = await http.request(method, path, headers=headers, content=b"{}")
    assert response.status_code == status, response.text
    check_brief(served, token, response.text)


@pytest.mark.parametrize("name", RAW)
async def test_what_is_no_http_ends_its_connection_and_no_other(served: Served, token: str, name: str) -> None:
    address = urlsplit(served.base)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(RAW[name].replace(b"TOKEN", token.encode()))
        answered = b""
        while part := connection.recv(4096):
            answered += part
    assert answered.count(b"HTTP/1.1 ") == 1
    assert answered.split(b" ")[1][:1] in {b"4", b"5"}, answered
    check_brief(served, token, answered.decode())
    assert (await listed(served, token)).status_code == 200


async def test_a_flood_of_what_is_no_http_does_not_fill_the_log(served: Served) -> None:
    address = urlsplit(served.base)
    for _ in range(2 * ATTEMPTS):
        with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
            connection.sendall(b"hello\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 400")
    printed = served.launch.printed()
    assert 0 < printed.count("is no HTTP request") <= ATTEMPTS
    assert "Invalid HTTP request" not in printed


def check_brief(served: Served, token: str, said: str) -> None:
    """Check that a refusal quotes neither a token nor the code, and that the log has no traceback."""
    assert len(said) < 2000
    assert token not in said
    assert "Traceback" not in said
    printed = served.launch.printed()
    assert "Traceback" not in printed
    assert token not in printed
