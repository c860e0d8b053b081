"""The SDK's manager of HTTP sessions, with an event store for each session of the 2025 era.

The SDK gives one store to all sessions and names their streams by the clients' request ids. Two clients use the same
ids, so in one store a client that resumes a stream could receive what another client missed.

A stream that cannot be resumed is refused here. The SDK would send an empty stream, and its client would not stop
asking.
"""

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser, authorization_context
from mcp.server.streamable_http import LAST_EVENT_ID_HEADER, MCP_SESSION_ID_HEADER
from mcp_types import INTERNAL_ERROR, INVALID_REQUEST, ErrorData, JSONRPCError
from starlette.requests import Request
from starlette.responses import Response

from opencode_mcp.http.web.event_store import SessionEvents
from opencode_mcp.http.web.sdk_session_manager import HookedSessionManager
from opencode_mcp.server.sdk_private import lowlevel_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcp.server.auth.middleware.bearer_auth import AuthorizationContext
    from mcp.server.mcpserver import MCPServer
    from mcp.server.streamable_http import StreamableHTTPServerTransport
    from starlette.types import Message, Receive, Scope, Send

SESSION_HEADER = MCP_SESSION_ID_HEADER.encode()
IDLE_SECONDS = 1800.0
"""Time without a request after which a session of the 2025 era ends."""
MOST_SESSIONS = 1000
"""Limit of the sessions of the 2025 era that a principal has at once."""
ANOTHER_TRY_SECONDS = 60
"""Time after which a client that got no session may ask again."""
TOO_MANY_SESSIONS = (
    f"There are {MOST_SESSIONS} open sessions of this principal, which is the limit. A session ends when its client "
    f"deletes it, or {IDLE_SECONDS / 60:g} minutes after its last request. Clients of protocol 2026-07-28 need none."
)
ERRORS_FROM = 400
"""Lowest status of an error."""
NOT_RESUMED = (
    "This stream cannot be resumed: the event in Last-Event-ID is unknown, or the response after it is not kept now. "
    "Runs go on: opencode_list_sessions and opencode_wait show what became of them."
)


class SessionManager(HookedSessionManager):
    """Manager of the sessions of one MCP server.

    Args:
        server: The MCP server.
    """

    def __init__(self, server: "MCPServer[Any]") -> None:
        lowlevel = lowlevel_of(server)
        # No argument of our tools is mirrored into a header. Without this, the SDK lists all tools before each call.
        lowlevel.get_tool_input_schema = _no_headers
        super().__init__(
            lowlevel,
            session_idle_timeout=IDLE_SECONDS,
            max_sessions=MOST_SESSIONS,
        )
        self._events: WeakKeyDictionary[StreamableHTTPServerTransport, SessionEvents] = WeakKeyDictionary()

    def admit_session(self, requestor: "AuthorizationContext | None") -> "StreamableHTTPServerTransport | None":
        """Open a session with an event store of its own."""
        self.event_store = events = SessionEvents()
        session = super().admit_session(requestor)
        if session:
            self._events[session] = events
        return session

    async def handle_session_request(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Handle a request, or refuse it if it asks for what this manager cannot give."""
        request = Request(scope)
        app = super().handle_session_request
        if not self._can_resume(request):
            app = _refusal(400, INVALID_REQUEST, NOT_RESUMED)
        elif self._has_no_room(request):
            app = _refusal(503, INTERNAL_ERROR, TOO_MANY_SESSIONS, {"Retry-After": str(ANOTHER_TRY_SECONDS)})
        await app(scope, receive, send)

    async def serve_opening_request(
        self, session: "StreamableHTTPServerTransport", scope: "Scope", receive: "Receive", send: "Send"
    ) -> None:
        """Serve the request that opens a session, without the session's id in an error."""

        async def send_its_session(message: "Message") -> None:
            if message["type"] == "http.response.start" and message["status"] >= ERRORS_FROM:
                # The SDK names the session that it then discards.
                message["headers"] = [pair for pair in message["headers"] if pair[0].lower() != SESSION_HEADER]
            await send(message)

        await super().serve_opening_request(session, scope, receive, send_its_session)

    def _has_no_room(self, request: Request) -> bool:
        """Return True if a request would open a session beyond the limit."""
        return MCP_SESSION_ID_HEADER not in request.headers and self.open_sessions >= MOST_SESSIONS

    def _can_resume(self, request: Request) -> bool:
        """Return False if a client of a session asks for the rest of a stream that cannot be resumed."""
        name, last = (request.headers.get(header, "") for header in (MCP_SESSION_ID_HEADER, LAST_EVENT_ID_HEADER))
        session = self.open_session(name)
        if request.method != "GET" or not last or session is None or session.is_terminated:
            return True
        user = request.scope.get("user")
        asks = authorization_context(user) if isinstance(user, AuthenticatedUser) else None
        # For others, the session does not exist.
        return asks != self.owner_of(name) or self._events[session].can_resume(last)


def _refusal(status: int, code: int, message: str, headers: "Mapping[str, str] | None" = None) -> Response:
    body = JSONRPCError(jsonrpc="2.0", id=None, error=ErrorData(code=code, message=message))
    text = body.model_dump_json(by_alias=True, exclude_unset=True)
    return Response(text, status, headers, media_type="application/json")


def _no_headers(_tool: str) -> None:
    """Tell the SDK that a tool has no arguments to compare with headers."""
