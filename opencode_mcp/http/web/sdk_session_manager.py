"""All uses of private names of the SDK's manager of HTTP sessions, under public names that a subclass may override.

The manager offers no hooks. ``server/sdk_private.py`` holds all other private names of the SDK; they are apart because
only MCP over HTTP needs these. A test fails when a new version of the SDK has changed one.
"""

from typing import TYPE_CHECKING

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

if TYPE_CHECKING:
    from mcp.server.auth.middleware.bearer_auth import AuthorizationContext
    from mcp.server.streamable_http import StreamableHTTPServerTransport
    from starlette.types import Receive, Scope, Send


class HookedSessionManager(StreamableHTTPSessionManager):
    """Manager of the HTTP sessions of an MCP server, each step of which can be overridden."""

    @property
    def open_sessions(self) -> int:
        """Return the number of open sessions."""
        return len(self._server_instances)

    def open_session(self, session_id: str) -> "StreamableHTTPServerTransport | None":
        """Return the transport of an open session; None if there is no such session."""
        return self._server_instances.get(session_id)

    def owner_of(self, session_id: str) -> "AuthorizationContext | None":
        """Return the authorization that opened a session; None if there was none."""
        return self._session_owners.get(session_id)

    async def handle_session_request(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Handle a request of the 2025 era, in a session or to open one."""
        await super()._handle_stateful_request(scope, receive, send)

    def admit_session(self, requestor: "AuthorizationContext | None") -> "StreamableHTTPServerTransport | None":
        """Register a new session and return its transport; None at the limit. No two calls run at the same time."""
        return super()._admit_session(requestor)

    async def serve_opening_request(
        self, session: "StreamableHTTPServerTransport", scope: "Scope", receive: "Receive", send: "Send"
    ) -> None:
        """Serve the request that opens a session; the session is discarded if the response is an error."""
        await super()._serve_opening_request(session, scope, receive, send)

    async def _handle_stateful_request(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        await self.handle_session_request(scope, receive, send)

    def _admit_session(self, requestor: "AuthorizationContext | None") -> "StreamableHTTPServerTransport | None":
        return self.admit_session(requestor)

    async def _serve_opening_request(
        self, http_transport: "StreamableHTTPServerTransport", scope: "Scope", receive: "Receive", send: "Send"
    ) -> None:
        await self.serve_opening_request(http_transport, scope, receive, send)
