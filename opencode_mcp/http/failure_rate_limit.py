"""Rate limit of refused requests from one address, such as those with a wrong token.

A flood of them then costs little and does not fill the log.
"""

import ipaddress
import time
from typing import TYPE_CHECKING

from opencode_mcp.bounded_dict import BoundedDict

if TYPE_CHECKING:
    from starlette.types import Scope

ATTEMPTS = 10
"""Refused requests of an address in a period, before it has to wait, or they are not logged any more."""
PERIOD_SECONDS = 60.0
ADDRESSES = 10_000
"""Addresses that are remembered."""
NETWORK_BITS = 64
"""Length of an IPv6 network, whose addresses all belong to one client."""


class FailureRateLimit:
    """Counts the refused requests of the present period, by address.

    A right request is always served: behind a proxy, many clients may have one address.

    Args:
        attempts: Refused requests in a period before an address has to wait.
    """

    def __init__(self, attempts: int = ATTEMPTS) -> None:
        self._attempts = attempts
        self.total = 0
        """Refused requests since the start."""
        self._counts = BoundedDict[str, tuple[float, int]](ADDRESSES)

    def add(self, address: str) -> float:
        """Count a refused request, and return the seconds until its address may send the next one; 0: at once."""
        self.total += 1
        now, source = time.monotonic(), _network_of(address)
        began, count = self._counts.get(source, (now, 0))
        if now - began >= PERIOD_SECONDS:
            began, count = now, 0
        self._counts[source] = began, count + 1
        return began + PERIOD_SECONDS - now if count >= self._attempts else 0.0


def address_of(scope: "Scope") -> str:
    """Return the address of the client of a request."""
    return address_in(scope.get("client"))


def address_in(client: "tuple[str, int] | None") -> str:
    """Return the address of a client; one at a Unix socket has none."""
    return client[0] if client else "a Unix socket"


def _network_of(address: str) -> str:
    """Return the network of an IPv6 address, in which one client has as many addresses as it wants."""
    if ":" not in address:
        return address
    bare = address.partition("%")[0]
    return str(ipaddress.IPv6Network((bare, NETWORK_BITS), strict=False))
