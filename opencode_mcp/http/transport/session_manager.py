"""The SDK's manager of HTTP sessions, with an event store for each session of the 2025 era.

The SDK gives one store to all sessions and names their streams by the clients' request ids. Two clients use the same
ids, so in one store a client that resumes a stream could receive what another client missed.
"""

from typing import TYPE_CHECKING, Any

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from opencode_mcp.http.transport.event_store import SessionEvents
from opencode_mcp.server.sdk_private import lowlevel_of

if TYPE_CHECKING:
    from mcp.server.auth.middleware.bearer_auth import AuthorizationContext
    from mcp.server.mcpserver import MCPServer
    from mcp.server.streamable_http import StreamableHTTPServerTransport
    from mcp.server.transport_security import TransportSecuritySettings

IDLE_SECONDS = 1800.0
"""Time without a request after which a session of the 2025 era ends."""
MOST_SESSIONS = 1000
"""Limit of the sessions of the 2025 era that a principal has at once."""


class SessionManager(StreamableHTTPSessionManager):
    """Manager of the sessions of one MCP server.

    Args:
        server: The MCP server.
        security: Allowed values of the headers ``Host`` and ``Origin``.
    """

    def __init__(self, server: "MCPServer[Any]", security: "TransportSecuritySettings") -> None:
        lowlevel = lowlevel_of(server)
        # No argument of our tools is mirrored into a header. Without this, the SDK lists all tools before each call.
        lowlevel.get_tool_input_schema = _no_headers
        super().__init__(
            lowlevel,
            security_settings=security,
            session_idle_timeout=IDLE_SECONDS,
            max_sessions=MOST_SESSIONS,
        )

    @property
    def open_sessions(self) -> int:
        """Return the number of open sessions."""
        return len(self._server_instances)

    def _admit_session(self, requestor: "AuthorizationContext | None") -> "StreamableHTTPServerTransport | None":
        # The SDK calls this while no other session is opened.
        self.event_store = SessionEvents()
        return super()._admit_session(requestor)


def _no_headers(_tool: str) -> None:
    """Tell the SDK that a tool has no arguments to compare with headers."""
