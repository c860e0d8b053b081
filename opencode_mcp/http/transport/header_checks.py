"""Allowed values of the headers ``Host`` and ``Origin``.

A web page can make the browser of a person connect to this machine (DNS rebinding). Its requests carry the page's name
in these headers, so requests with other names than the bridge's own are refused before anything else is done.
"""

from collections.abc import Iterable

from mcp.server.transport_security import TransportSecuritySettings

from opencode_mcp.config import Settings
from opencode_mcp.errors import InvalidSetting
from opencode_mcp.http.address import LOOPBACK_HOSTS, Address


def security_settings(settings: Settings, address: Address) -> TransportSecuritySettings:
    """Return the names of the bridge, and the web pages that may use it.

    Args:
        settings: ``http_host`` and ``http_origin`` are used.
        address: Where the bridge listens, with its port.

    Raises:
        InvalidSetting: No name is known by which clients reach the bridge.
    """
    if address.is_wildcard and not settings.http_host:
        raise InvalidSetting(
            f"{address} names no host, so the bridge cannot know by which name clients reach it.",
            hint="Add --http-host NAME for each name in the URLs of the clients.",
        )
    own = [] if address.is_wildcard or address.path else [address.shown_host]
    names = list(dict.fromkeys([*LOOPBACK_HOSTS, *own, *settings.http_host]))
    own_pages = [f"http://{name}:{address.port}" for name in LOOPBACK_HOSTS] if address.port else []
    return TransportSecuritySettings(
        allowed_hosts=list(_with_ports(names)), allowed_origins=[*own_pages, *settings.http_origin]
    )


def _with_ports(names: Iterable[str]) -> Iterable[str]:
    for name in names:
        yield name
        if not name.rpartition("]")[2].count(":"):
            yield f"{name}:*"
