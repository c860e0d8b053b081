"""Tools that list sessions and read them."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from mcp_types import CallToolResult
from pydantic import Field

from opencode_mcp.errors import NotFound
from opencode_mcp.markdown.shown_parts import ShownParts
from opencode_mcp.runs import record
from opencode_mcp.server.bridge import BridgeContext, bridge_of
from opencode_mcp.server.definition.tool import tool
from opencode_mcp.server.resources.links import transcript_link
from opencode_mcp.server.results.render import answer_steps, result
from opencode_mcp.server.results.schemas import SESSION, SESSION_TEXTS
from opencode_mcp.server.results.timestamps import read_local_moment
from opencode_mcp.server.sessions import session_list, session_rows, session_view
from opencode_mcp.server.sessions.titles import title_of
from opencode_mcp.server.tools.run_tools import SessionId
from opencode_mcp.server.waiting.answerers import mark_answerers

if TYPE_CHECKING:
    from opencode_mcp.server.sessions.session_view import SessionView

MESSAGES = 20


NOT_SEARCHED = "A search looks at titles only. Without search=..., the list shows how each last prompt began."
"""Sentence for a search that found nothing."""


@tool(
    title="List sessions",
    read_only=True,
    destructive=False,
    idempotent=True,
    open_world=False,
)
async def opencode_list_sessions(
    ctx: BridgeContext,
    *,
    search: Annotated[str, Field(description="Words of the title")] = "",
    directory: Annotated[str, Field(description="Absolute; else all")] = "",
    since: Annotated[str, Field(description="today, 7d or 2026-11-24T10:00Z")] = "",
    running: Annotated[bool, Field(description="Only running ones")] = False,
    roots_only: Annotated[bool, Field(description="Without subagents")] = True,
    limit: Annotated[int, Field(ge=1, le=100)] = 20,
    cursor: Annotated[str, Field(description="From the page before")] = "",
) -> CallToolResult:
    """List sessions, latest first, with outcome, cost, files, last prompt, and totals.

    Use it to find one.
    """
    bridge = bridge_of(ctx)
    query = session_list.SessionQuery(
        search=search,
        directory=await bridge.fence.directory(directory) if directory else "",
        since=read_local_moment(since, bridge.client.clock.now() * 1000) if since else 0,
        running=running,
        archived=running,
        roots=roots_only,
    )
    page = await session_list.list_sessions(bridge, query, limit, cursor, totals=not cursor)
    rows = await session_rows.session_rows(bridge, page)
    has_found = bool(rows.rows) or not search
    return result(rows.text if has_found else f"{rows.text} {NOT_SEARCHED}", rows.data)


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
    show: Annotated[ShownParts, Field(description="brief: all, cut short")] = "brief",
    limit: Annotated[int, Field(ge=0, le=100, description="Messages; 0: only the status")] = MESSAGES,
    cursor: Annotated[str, Field(description="From the page before: older messages")] = "",
) -> CallToolResult:
    """Read a session: last run, todos, cost, subagents, open requests, and its transcript, latest page first.

    Use it to look into a session without waiting for it.
    """
    bridge = bridge_of(ctx)
    session = await bridge.fence.session(session_id)
    view = await session_view.view_session(bridge, session, limit=limit, cursor=cursor, show=show)
    if view.pending:
        view = await _with_answers(ctx, view)
    link = transcript_link(session.id, title_of(session)) if view.cursor else None
    return result(session_view.view_text(view), session_view.view_data(view), link, is_shown=True)


async def _with_answers(ctx: BridgeContext, view: "SessionView") -> "SessionView":
    """Add to a view how its open requests are answered."""
    bridge, session = bridge_of(ctx), view.session
    try:
        run = await bridge.runs.find(session)
    except NotFound:
        run = record.Run(session.directory, session.id, "")
    mark_answerers(bridge, run, view.pending, ctx.client_capabilities)
    for request in view.pending:
        # A wait ends at once if the session is idle, and asks nobody.
        request.person_here = request.person_here and not view.is_idle
    return replace(view, answers=answer_steps(view.pending, bridge.unlisted_tools))
