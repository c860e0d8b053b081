"""Tools that list sessions and read them."""

from typing import TYPE_CHECKING, Annotated

from mcp_types import CallToolResult
from pydantic import Field

from opencode_mcp.server import session_view
from opencode_mcp.server.bridge import BridgeContext, bridge_of
from opencode_mcp.server.resources.links import transcript_link
from opencode_mcp.server.results.render import result
from opencode_mcp.server.results.schemas import SESSION, SESSION_TEXTS, SESSIONS
from opencode_mcp.server.results.timestamps import moment, read_moment
from opencode_mcp.server.session_list import SessionQuery, list_sessions
from opencode_mcp.server.tool import tool
from opencode_mcp.server.tools.run_tools import SessionId
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.models import Session

MESSAGES = 20


@tool(
    title="List sessions",
    read_only=True,
    destructive=False,
    idempotent=True,
    open_world=False,
    output_schema=SESSIONS,
)
async def opencode_list_sessions(
    ctx: BridgeContext,
    *,
    search: Annotated[str, Field(description="Words of the title")] = "",
    directory: Annotated[str, Field(description="Only of this project; empty: of all")] = "",
    since: Annotated[str, Field(description="Changed after, as 2026-11-24T10:00Z or 2h, 7d")] = "",
    running: Annotated[bool, Field(description="Only those at work")] = False,
    roots_only: Annotated[bool, Field(description="Leave out the sessions of subagents")] = True,
    limit: Annotated[int, Field(ge=1, le=100)] = 20,
    cursor: Annotated[str, Field(description="From the page before")] = "",
) -> CallToolResult:
    """List OpenCode's sessions, the latest first, with what each is doing.

    Use it to find a session to go on in, to wait for or to read.
    """
    bridge = bridge_of(ctx)
    query = SessionQuery(
        search=search,
        directory=await bridge.fence.directory(directory) if directory else "",
        since=read_moment(since, bridge.client.clock.now() * 1000) if since else 0,
        running=running,
        roots=roots_only,
    )
    page = await list_sessions(bridge, query, limit, cursor)
    rows = [_row(session, page.status.get(session.id, "idle")) for session in page.sessions]
    lines = [" · ".join(map(one_line, row.values())) for row in rows] or ["No session fits."]
    more = [f'More with cursor="{page.cursor}".'] if page.cursor else []
    return result("\n".join([*lines, *more]), {"sessions": rows, "cursor": page.cursor})


def _row(session: "Session", status: str) -> dict[str, str]:
    row = {
        "session_id": session.id,
        "status": status,
        "updated": moment(session.time.updated),
        "title": one_line(session.title),
        "directory": session.directory,
    }
    return row | ({"parent": session.parent_id} if session.parent_id else {})


@tool(
    title="Read a session",
    read_only=True,
    destructive=False,
    idempotent=True,
    open_world=False,
    output_schema=SESSION,
    texts=SESSION_TEXTS,
)
async def opencode_session(
    ctx: BridgeContext,
    *,
    session_id: SessionId,
    detailed: Annotated[bool, Field(description="Also reasoning, long arguments, longer output")] = False,
    limit: Annotated[int, Field(ge=0, le=100, description="Messages; 0: only the status")] = MESSAGES,
    cursor: Annotated[str, Field(description="From the page before: older messages")] = "",
) -> CallToolResult:
    """Read a session: status, todos, cost, subagents, open requests, and its transcript, the latest page first.

    Use it to look into a session without waiting for it.
    """
    bridge = bridge_of(ctx)
    session = await bridge.fence.session(session_id)
    view = await session_view.view_session(bridge, session, limit=limit, cursor=cursor, detailed=detailed)
    link = transcript_link(session.id, session.title) if view.cursor else None
    return result(session_view.view_text(view), session_view.view_data(view), link, is_shown=True)
