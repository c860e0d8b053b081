"""Allowed values of the headers ``Host`` and ``Origin``.

A web page can make the browser of a person connect to this machine (DNS rebinding). Its requests carry the page's name
in these headers, so requests with other names than the bridge's own are refused before anything else is done.
"""

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.http.address import LOOPBACK_HOSTS, Address
from opencode_mcp.http.failure_rate_limit import FailureRateLimit, address_of
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from starlette.types import Scope

    from opencode_mcp.settings import Settings

logger = logging.getLogger(__name__)

AUTHORITY = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::\d*)?", re.ASCII)
"""Host and perhaps a port, in small letters (RFC 9110, 7.2). A name of a user before them is never right here."""
LONGEST_LOGGED = 100
"""Characters of a header that are logged."""
OTHER_HOST = "This server has another name than the Host of the request. Its operator may add it with --http-host."
OTHER_ORIGIN = "Pages of this Origin may not use this server. Its operator may add it with --http-origin."


@dataclass(frozen=True, slots=True)
class AllowedNames:
    """Names of the bridge, and the web pages that may use it, all in small letters."""

    hosts: frozenset[str]
    """Hosts; one with a port is allowed with that port only."""
    origins: frozenset[str]

    def has_host(self, authority: str) -> bool:
        """Return True if a host, perhaps with a port, is one of the bridge's names."""
        parts = AUTHORITY.fullmatch(authority)
        return parts is not None and not self.hosts.isdisjoint({authority, parts["host"]})


class HeaderChecks:
    """Checks of the headers of each request.

    Args:
        allowed: Their allowed values.
    """

    def __init__(self, allowed: AllowedNames) -> None:
        self._allowed = allowed
        self._refused = FailureRateLimit()

    def refusal(self, scope: "Scope") -> Response | None:
        """Return the response to a request for another host or from another page; ``None``: it may be served."""
        headers = {name: value.decode("latin-1").lower() for name, value in scope["headers"]}
        host, origin = headers.get(b"host", ""), headers.get(b"origin", "")
        if not self._allowed.has_host(host):
            self._log(scope, "for the host", host)
            return PlainTextResponse(OTHER_HOST, 421)
        if origin and origin not in self._allowed.origins:
            self._log(scope, "from a page of", origin)
            return PlainTextResponse(OTHER_ORIGIN, 403)
        return None

    def _log(self, scope: "Scope", what: str, name: str) -> None:
        if not self._refused.add(address_of(scope)):
            shown = one_line(repr(name[:LONGEST_LOGGED]))
            logger.warning("a request %s %s came from %s, and was refused", what, shown, address_of(scope))


def allowed_names(settings: "Settings", address: Address) -> AllowedNames:
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
    own = [] if address.is_wildcard or address.path else [address.shown_host.lower()]
    own_pages = [f"http://{name}:{address.port}" for name in LOOPBACK_HOSTS] if address.port else []
    return AllowedNames(
        hosts=frozenset([*LOOPBACK_HOSTS, *own, *settings.http_host]),
        origins=frozenset([*own_pages, *settings.http_origin]),
    )
