"""Address of a client behind reverse proxies, from the header ``X-Forwarded-For``.

Each proxy adds the address of its own client at the end. A value is therefore believed only if the one who added it is
a known proxy, and only if it is an address.
"""

import ipaddress
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
HEADER = b"x-forwarded-for"


class ForwardedFor:
    """ASGI application that passes the addresses of clients behind proxies on to another one.

    Args:
        app: The other application.
        proxies: Addresses and networks of the proxies, as ``options.as_proxies`` returns them.
    """

    def __init__(self, app: "ASGIApp", proxies: tuple[str, ...]) -> None:
        self._app = app
        self._networks = [ipaddress.ip_network(proxy) for proxy in proxies]

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Serve one request."""
        peer = address_in(scope["client"][0]) if scope.get("client") else None
        client = self._client(scope, peer)
        if client is not None and client != peer:
            scope["client"] = (str(client), 0)
        await self._app(scope, receive, send)

    def _client(self, scope: "Scope", peer: IpAddress | None) -> IpAddress | None:
        client = peer
        for text in reversed(list(_forwarded_addresses(scope))):
            if client is None or not self._is_proxy(client):
                break
            forwarded = address_in(text)
            if forwarded is None:
                break
            client = forwarded
        return client

    def _is_proxy(self, address: IpAddress) -> bool:
        return any(address in network for network in self._networks)


def _forwarded_addresses(scope: "Scope") -> Iterator[str]:
    for name, value in scope["headers"]:
        if name == HEADER:
            yield from value.decode("latin-1").split(",")


def address_in(text: str) -> IpAddress | None:
    """Return the address in a text, which may have a port after it; ``None`` if there is none."""
    text = text.strip()
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return _address_with_port(text)


def _address_with_port(text: str) -> IpAddress | None:
    try:
        return ipaddress.ip_address(urlsplit(f"//{text}").hostname or "")
    except ValueError:
        return None
