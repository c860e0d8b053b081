"""View of one session for a model: its state, its open requests, and a page of its transcript."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from opencode_mcp.markdown.transcript_page import TranscriptPage, read_transcript
from opencode_mcp.opencode.http.concurrent_reads import at_once
from opencode_mcp.runs.report import PendingRequest, list_todos
from opencode_mcp.runs.sessions.spending import with_own_spending
from opencode_mcp.server.results.render import TEXT_LIMIT, request_data, request_text
from opencode_mcp.server.results.safe_text import shown_sections
from opencode_mcp.server.results.timestamps import moment
from opencode_mcp.server.sessions.undone import undone_text
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from opencode_mcp.markdown.shown_parts import ShownParts
    from opencode_mcp.opencode.client import OpenCodeClient
    from opencode_mcp.opencode.vocabulary.models import Session, SessionStatus
    from opencode_mcp.server.bridge import Bridge


@dataclass(frozen=True, slots=True)
class SessionView:
    """State of a session. The lists are empty on all pages but the first."""

    session: "Session"
    status: str
    todos: list[str] = field(default_factory=list[str])
    children: "list[Session]" = field(default_factory=list["Session"])
    pending: list[PendingRequest] = field(default_factory=list[PendingRequest])
    transcript: str = ""
    cursor: str = ""
    answers: str = ""
    """Calls that answer the open requests, if they are known."""


async def view_session(
    bridge: "Bridge", session: "Session", *, limit: int, cursor: str, show: "ShownParts"
) -> SessionView:
    """Read a session.

    Args:
        bridge: Reaches OpenCode.
        session: The session, already checked.
        limit: Largest number of messages of the transcript; 0: none.
        cursor: Cursor of the page before; empty: the latest messages.
        show: Parts of the transcript to show, and whether texts are cut short.
    """
    client, first = bridge.client, not cursor
    async with at_once() as reads:
        busy = reads.start(client.session_status, session.directory)
        own = reads.start(with_own_spending, client, session)
        todos = reads.start(_todos, client, session, wanted=first)
        children = reads.start(_children, client, session, wanted=first)
        page = reads.start(_page, client, session, limit=limit, cursor=cursor, show=show)
    state = busy.value.get(session.id)
    return SessionView(
        session=own.value,
        status=_status(state),
        todos=todos.value,
        children=children.value,
        pending=await bridge.requests.open(session.directory, session.id) if state and first else [],
        transcript=page.value.text,
        cursor=page.value.cursor,
    )


async def _todos(client: "OpenCodeClient", session: "Session", *, wanted: bool) -> list[str]:
    return list_todos(await client.session_todo(session.id)) if wanted else []


async def _children(client: "OpenCodeClient", session: "Session", *, wanted: bool) -> "list[Session]":
    return await client.session_children(session.id) if wanted else []


async def _page(
    client: "OpenCodeClient", session: "Session", *, limit: int, cursor: str, show: "ShownParts"
) -> TranscriptPage:
    """Read a page of the transcript; an empty one if no messages are wanted."""
    if not limit:
        return TranscriptPage("", "")
    return await read_transcript(client, session, limit=limit, cursor=cursor, show=show, characters=TEXT_LIMIT)


def _status(state: "SessionStatus | None") -> str:
    if state is None:
        return "idle"
    return f"{state.type}: {one_line(state.message)}" if state.message else state.type


def view_data(view: SessionView) -> dict[str, Any]:
    """Return the view as structured content. Empty fields are left out, except those that callers rely on."""
    session = view.session
    data: dict[str, Any] = {
        "session_id": session.id,
        "status": view.status,
        "title": session.title,
        "directory": session.directory,
        "changed": moment(session.changed),
        "parent": session.parent_id,
        "forked_from": session.forked_from,
        "cost": round(session.cost or 0, 6),
        "tokens": {"input": int(session.tokens.input), "output": int(session.tokens.output)},
        "undone_from": session.revert.message_id if session.revert else "",
        "todos": view.todos,
        "children": [{"session_id": child.id, "title": child.title} for child in view.children],
        "pending": [request_data(request) for request in view.pending],
        "next": _next(view),
    }
    kept = {key: value for key, value in data.items() if value}
    return kept | {"transcript": view.transcript, "cursor": view.cursor}


def view_text(view: SessionView) -> str:
    """Return the view as text for a model, cleaned for display."""
    sections = [
        _facts(view),
        undone_text(view.session),
        "\n".join(["Todos:", *view.todos]) if view.todos else "",
        "\n".join(["Subagents:", *(f"{child.id} · {one_line(child.title)}" for child in view.children)])
        if view.children
        else "",
        *map(request_text, view.pending),
        _next(view),
        view.transcript,
        f'Older messages with cursor="{view.cursor}".' if view.cursor else "",
    ]
    return shown_sections(sections)


def _facts(view: SessionView) -> str:
    """Return the line about the session itself."""
    session = view.session
    tokens = session.tokens
    facts = [
        session.id,
        view.status,
        one_line(session.title),
        one_line(session.directory),
        f"changed {moment(session.changed)}",
        f"subagent of {session.parent_id}" if session.parent_id else "",
        f"fork of {session.forked_from}" if session.forked_from else "",
        f"{tokens.input:.0f} tokens in, {tokens.output:.0f} out" if tokens.output else "",
        f"${session.cost:.4f}" if session.cost else "",
    ]
    return " · ".join(filter(None, facts))


def _next(view: SessionView) -> str:
    if not view.pending:
        return ""
    wait = f'opencode_wait(session_id="{view.session.id}")'
    return f"{view.answers} {wait} waits on." if view.answers else f"{wait} asks the person, or says how to answer."
