"""Addresses of clients behind reverse proxies."""

import pytest
from starlette.types import Receive, Scope, Send

from opencode_mcp.http.web.forwarded_for import ForwardedFor

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("peer", "header", "client"),
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9, 10.1.1.1", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9:1234", "203.0.113.9"),
        ("127.0.0.1", "[2001:db8::1]:80", "2001:db8::1"),
        ("127.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("127.0.0.1", "garbage", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9, garbage, 10.1.1.1", "10.1.1.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("192.0.2.7", "203.0.113.9", "192.0.2.7"),
    ],
)
async def test_only_addresses_that_proxies_add_are_believed(peer: str, header: str, client: str) -> None:
    received: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert receive is unused
        assert send is unused
        received.append(scope["client"][0])

    async def unused(*_: object) -> None:
        raise AssertionError

    scope = {"type": "http", "client": (peer, 1), "headers": [(b"x-forwarded-for", header.encode())]}
    await ForwardedFor(app, ("127.0.0.1", "10.0.0.0/8"))(scope, unused, unused)  # pyright: ignore[reportArgumentType]
    assert received == [client]
