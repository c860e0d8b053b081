"""Tools that list, read, rename, archive and delete sessions."""

from dataclasses import replace
from json import dumps
from typing import TYPE_CHECKING, Annotated

from mcp_types import CallToolResult
from pydantic import Field

from opencode_mcp.errors import InvalidArgument, NotFound
from opencode_mcp.markdown.show_choices import ShownParts
from opencode_mcp.runs import run_record
from opencode_mcp.runs.session_history import spending, subagents
from opencode_mcp.server.bridge import Bridge, BridgeContext, bridge_of
from opencode_mcp.server.definition.tool import tool
from opencode_mcp.server.resources.links import transcript_link
from opencode_mcp.server.results.render import result, without_tools
from opencode_mcp.server.results.run_reports.answer_steps import answer_steps
from opencode_mcp.server.results.schemas import SESSION, SESSION_TEXTS
from opencode_mcp.server.results.timestamps import read_local_time
from opencode_mcp.server.sessions import session_deletion, session_details, session_list, session_rows
from opencode_mcp.server.sessions.titles import shown_title, title_of
from opencode_mcp.server.tools.run_tools import SessionId
from opencode_mcp.server.waiting.answerers import mark_answerers
from opencode_mcp.server.waiting.call_deadlines import start_deadline_of, starting
from opencode_mcp.text.outside_text import one_line
from opencode_mcp.text.quantities import money, quantity

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.server.sessions.session_details import SessionDetails

MESSAGES = 20
"""Messages on a page of the transcript, unless the caller wants another number."""
ARCHIVED_LISTED = 1000
"""Sessions that the call which finds archived ones reads."""
NONE_YET = "There is no session yet. opencode_run starts one."
NONE_RUNNING = "No session is running."
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
        since=read_local_time(since, bridge.client.clock.now() * 1000) if since else 0,
        running=running,
        archived=running,
        roots=roots_only,
    )
    page = await session_list.list_sessions(bridge, query, limit, cursor, totals=not cursor)
    rows = await session_rows.session_rows(bridge, page)
    if rows.rows:
        return result(rows.text, rows.data)
    text = _nothing_found(rows.text, query) if not cursor else rows.text
    return result(without_tools(text, bridge.unlisted_tools), rows.data)


def _nothing_found(text: str, query: "session_list.SessionQuery") -> str:
    """Return the text of a list that is empty from its first page on, which has a text of its own."""
    if query.search:
        return f"{text} {NOT_SEARCHED}"
    if text != session_rows.NOTHING_FITS or query.since:
        return text
    return NONE_RUNNING if query.running else NONE_YET


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
    cursor: Annotated[str, Field(description="From the page before")] = "",
) -> CallToolResult:
    """Read a session: last run, todos, cost, subagents, open requests, and its transcript, latest page first.

    Use it to look into one without waiting.
    """
    bridge = bridge_of(ctx)
    session = await bridge.fence.session(session_id)
    view = await session_details.view_session(bridge, session, limit=limit, cursor=cursor, show=show)
    if view.pending:
        view = await _with_answers(ctx, view)
    link = transcript_link(session.id, title_of(session)) if view.cursor else None
    return result(session_details.view_text(view), session_details.view_data(view), link, is_shown=True)


async def _with_answers(ctx: BridgeContext, view: "SessionDetails") -> "SessionDetails":
    """Add to a view how its open requests are answered."""
    bridge, session = bridge_of(ctx), view.session
    try:
        run = await bridge.runs.find(session)
    except NotFound:
        run = run_record.Run(session.directory, session.id, "")
    mark_answerers(bridge, run, view.pending, ctx.client_capabilities)
    for request in view.pending:
        # A wait ends at once if the session is idle, and no run waits for the form of a client: nobody is asked then.
        request.person_here = request.person_here and not (view.is_idle or request.is_of_session)
    return replace(view, answers=answer_steps(view.pending, bridge.unlisted_tools))


@tool(
    title="Rename or archive",
    read_only=False,
    destructive=False,
    idempotent=True,
    open_world=False,
)
async def opencode_update_session(
    ctx: BridgeContext,
    *,
    session_id: SessionId,
    title: Annotated[str | None, Field(description="New title")] = None,
    archived: Annotated[bool | None, Field(description="Hide from lists; OpenCode 1: for good")] = None,
) -> CallToolResult:
    """Rename or archive a session.

    Use it to tidy up.
    """
    _check_change(title, archived=archived)
    bridge = bridge_of(ctx)
    async with starting(ctx, start_deadline_of(ctx)):
        await bridge.fence.session(session_id)
    done: list[str] = []
    ways: list[str] = []
    async with bridge.runs.turns.alone_in(session_id):
        session = await bridge.client.session_get(session_id)
        if archived is not None:
            await bridge.client.session_archive(session, archived=archived)
            done.append("archived, so lists leave it out" if archived else "back in the lists")
            ways = await _ways_back(bridge, session) if archived else []
        if title is not None:
            name = one_line(title.strip())
            await bridge.client.session_rename(session, name)
            old = title_of(session)
            done.append(f'renamed from "{old}" to "{name}"' if old else f'named "{name}"')
    session = await bridge.client.session_get(session_id)
    data = {"session_id": session.id, "title": title_of(session), "archived": session.time.archived is not None}
    text = " ".join([f"{session.id} is {', and '.join(done)}.", *ways])
    return result(without_tools(text, bridge.unlisted_tools), data)


async def _ways_back(bridge: Bridge, session: "Session") -> list[str]:
    """Return sentences on what can be done with an archived session, and on how to list such ones."""
    features = await bridge.client.features()
    is_default = session.directory == await bridge.fence.directory("")
    place = {} if is_default else {"directory": session.directory}
    arguments = dumps({"archived": True, **place, "limit": ARCHIVED_LISTED}, ensure_ascii=False)
    select = f"{features.archived_rows}.[id, title]"
    found = f'opencode_read_operation(operation="{features.archived_lister}", arguments={arguments}, select="{select}")'
    back = (
        f'opencode_update_session(session_id="{session.id}", archived=false) puts it back.'
        if features.unarchives
        else "OpenCode 1 cannot put it back; it can be read and continued by its id."
    )
    return [back, f"{found} lists such ones."]


def _check_change(title: str | None, *, archived: bool | None) -> None:
    """Refuse a call that changes nothing, or only a part of what it says.

    Raises:
        InvalidArgument: There is no change, or the title is empty.
    """
    if title is None and archived is None:
        raise InvalidArgument("There is nothing to change.", hint="Give title, archived, or both.")
    if title is not None and not title.strip():
        raise InvalidArgument("The title is empty.", hint="Give a title with text, or leave title out.")


@tool(
    title="Delete a session",
    read_only=False,
    destructive=True,
    idempotent=True,
    open_world=False,
)
async def opencode_delete_session(ctx: BridgeContext, *, session_id: SessionId) -> CallToolResult:
    """Stop a session and delete it for good, with its subagents.

    Use it when asked to. File changes stay, without undo; its cost is lost.
    """
    bridge = bridge_of(ctx)
    async with starting(ctx, start_deadline_of(ctx)):
        session = await bridge.fence.session(session_id)
    was_running = await session_deletion.stop_before_deletion(bridge, session)
    below = (await subagents.read_subagents_of(bridge.client, session)).below(session.id)
    lost = await _cost_of(bridge, session.id, below)
    note = await session_deletion.worktree_note(bridge, session.directory)
    await bridge.client.session_delete(session.id)
    await session_deletion.forget_worktree(bridge, session)
    data = {
        "session_id": session.id,
        "title": title_of(session),
        "deleted": [session.id, *(subagent.id for subagent in below)],
        "was_running": was_running,
    }
    own = f" with {quantity(len(below), 'subagent')}" if below else ""
    text = (
        f"{'It was running and was stopped. ' if was_running else ''}{session.id} ({shown_title(session)}) is "
        f"deleted{own}. Lost for good: the conversation, its cost of {money(lost)} in opencode_cost, and the undo "
        "of changes to files, if it made any. The files stay as they are."
    )
    return result(f"{text} {note}".strip(), data)


async def _cost_of(bridge: Bridge, session_id: str, below: "list[Session]") -> float:
    """Return what a session and its subagents cost, in US dollars, as far as OpenCode has counted it."""
    session = await bridge.client.session_get(session_id)
    own = await spending.own_spending(bridge.client, session)
    return spending.Spending.total([own, *map(spending.Spending.counted, below)]).cost
