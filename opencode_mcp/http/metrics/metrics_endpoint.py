"""Endpoint at which Prometheus reads the metrics: an address of its own, so that no client of MCP reaches it."""

from typing import TYPE_CHECKING

from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import PlainTextResponse, Response

from opencode_mcp.errors import BridgeError
from opencode_mcp.http.web.header_checks import HeaderChecks
from opencode_mcp.http.web.request_target import read_target

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Receive, Scope, Send

    from opencode_mcp.http.metrics.current_state import CurrentState
    from opencode_mcp.http.metrics.instruments import Instruments
    from opencode_mcp.http.web.header_checks import AllowedNames


class MetricsApp:
    """ASGI application.

    Args:
        path: Path of the metrics.
        instruments: The metrics.
        read_state: Reads the current state of the bridge.
        allowed: Names of the bridge; ``None``: any.
    """

    def __init__(
        self,
        path: str,
        instruments: "Instruments",
        read_state: "Callable[[], Awaitable[CurrentState]]",
        allowed: "AllowedNames | None",
    ) -> None:
        self._path = path
        self._instruments = instruments
        self._read_state = read_state
        self._header_checks = HeaderChecks(allowed) if allowed else None

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Serve one request."""
        if scope["type"] == "http":
            read_target(scope)
            refusal = self._header_checks.refusal(scope) if self._header_checks else None
            response = refusal or await self._answer(scope)
            await response(scope, receive, send)

    async def _answer(self, scope: "Scope") -> Response:
        if scope["path"] != self._path:
            return PlainTextResponse(f"Not found. The metrics are at {self._path}.", 404)
        try:
            present = await self._read_state()
        except BridgeError as error:
            return PlainTextResponse(str(error), 503)
        return Response(self._instruments.text(present), media_type=CONTENT_TYPE_LATEST)
