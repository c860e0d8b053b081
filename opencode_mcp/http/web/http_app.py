"""The application behind the web server: what each path answers, and the checks that precede every answer."""

from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse, Response

from opencode_mcp.http.web.exchange import EXCHANGE, Exchange
from opencode_mcp.http.web.header_checks import HeaderChecks
from opencode_mcp.http.web.request_target import read_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from opencode_mcp.http.web.header_checks import AllowedNames

LARGEST_HEAD = 32 * 1024
"""Bytes of a request's headers."""
TOO_LONG, LONG_HEAD = 431, "The headers are too long."
"""Status and text of the response to longer ones."""
MCP_PATH = "/mcp"
ALIVE_PATH = "/healthz"
SERVER_NAME = "opencode-mcp"
"""Name by which the doctor recognises a bridge that runs."""
READY_PATH = "/readyz"
CORS_SECONDS = 600
"""Time for which a browser may keep the answer to a preflight request."""
REQUEST_HEADERS = (
    "accept",
    "authorization",
    "content-type",
    "last-event-id",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "mcp-session-id",
)
LENGTHS = frozenset({b"content-length", b"transfer-encoding"})
"""Headers of which a request has at most one."""
NO_DOCUMENTS: "Mapping[str, Response]" = MappingProxyType({})
RESPONSE_HEADERS = ("mcp-session-id", "retry-after", "www-authenticate")


class McpHandler(Protocol):
    """Serves MCP to those who may use it."""

    async def handle(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Serve one request at the path of MCP; ``exchange.exchange_of`` returns its exchange."""
        ...


class HttpApp:
    """ASGI application.

    Args:
        handler: Serves MCP.
        allowed: Names of the bridge, and web pages that may use it.
        origins: Web pages that may read responses.
        documents: Responses that everybody gets, by path.
        count_response: Gets the status of each response.
    """

    def __init__(
        self,
        handler: McpHandler,
        allowed: "AllowedNames",
        origins: tuple[str, ...],
        documents: "Mapping[str, Response]" = NO_DOCUMENTS,
        count_response: "Callable[[int], None] | None" = None,
    ) -> None:
        self.is_closing = False
        """True once the bridge takes no more clients."""
        self._handler = handler
        self._documents = documents
        self._count_response = count_response
        self._header_checks = HeaderChecks(allowed)
        self._checked: ASGIApp = self._route
        if origins:
            self._checked = CORSMiddleware(
                self._route,
                allow_origins=origins,
                allow_methods=("GET", "POST", "DELETE"),
                allow_headers=REQUEST_HEADERS,
                expose_headers=RESPONSE_HEADERS,
                max_age=CORS_SECONDS,
            )

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Serve one request."""
        if scope["type"] == "http":
            read_target(scope)
            scope["headers"] = [_compared(name, value) for name, value in scope["headers"]]
            scope[EXCHANGE] = exchange = Exchange(receive, send)
            try:
                await exchange.run(self._check, scope)
            finally:
                if self._count_response and exchange.status:
                    self._count_response(exchange.status)

    async def _check(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        refusal = _too_long(scope) or _of_unclear_length(scope) or self._header_checks.refusal(scope)
        await (refusal or self._checked)(scope, receive, send)

    async def _route(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        app = self._handler.handle if scope["path"] == MCP_PATH else self._plain(scope)
        await app(scope, receive, send)

    def _plain(self, scope: "Scope") -> Response:
        if scope["path"] == ALIVE_PATH:
            return PlainTextResponse("ok", headers={"Server": SERVER_NAME})
        if scope["path"] == READY_PATH:
            return PlainTextResponse("shutting down", 503) if self.is_closing else PlainTextResponse("ok")
        return self._documents.get(scope["path"]) or PlainTextResponse(f"Not found. MCP is at {MCP_PATH}.", 404)


def _compared(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Return a header as Starlette compares it: origins have no case."""
    return name, value.lower() if name == b"origin" else value


def _too_long(scope: "Scope") -> Response | None:
    """Refuse a head that arrived at once and is longer than one that arrives in parts may be."""
    length = len(scope["raw_path"]) + len(scope["query_string"]) + sum(map(sum, _lengths(scope)))
    return PlainTextResponse(LONG_HEAD, TOO_LONG) if length > LARGEST_HEAD else None


def _of_unclear_length(scope: "Scope") -> Response | None:
    """Refuse a request with two lengths: a proxy may take another part of it for the next request (smuggling)."""
    if not LENGTHS.issubset(name for name, _ in scope["headers"]):
        return None
    words = "A request has either Content-Length or Transfer-Encoding."
    return PlainTextResponse(words, 400, {"Connection": "close"})


def _lengths(scope: "Scope") -> "Iterator[tuple[int, int]]":
    for name, value in scope["headers"]:
        yield len(name), len(value)
