"""Rows of a list of sessions: for each, the outcome of its last run, its own cost, and how its last prompt begins.

OpenCode's list has neither outcome nor prompt, so the end of each session on the page is read, twelve at a time. To
read a session makes OpenCode open its project. Therefore only sessions of projects that are open or listed by name are
read; a row of another project lacks these fields.
"""

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from opencode_mcp.opencode.http.concurrent_reads import read_each
from opencode_mcp.runs.sessions.last_run import LastRun, read_last_run
from opencode_mcp.runs.sessions.spending import Spending, own_spending
from opencode_mcp.server.access.operation_uses import MESSAGES
from opencode_mcp.server.results.paging import PAGE_BYTES
from opencode_mcp.server.results.timestamps import moment
from opencode_mcp.server.sessions.amounts import amount_data, amount_text
from opencode_mcp.server.sessions.session_list import SessionPage, Totals, write_cursor
from opencode_mcp.text.json_text import json_size
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.models import Session
    from opencode_mcp.server.bridge import Bridge

SECONDS = 5.0
"""Seconds in which the sessions of a page are read; what is missing then is left out."""

Row = dict[str, Any]


async def session_rows(bridge: "Bridge", page: SessionPage) -> list[Row]:
    """Return the rows of a page; if they would be too long, the page is cut, and its cursor changed.

    Raises:
        BackendError: The open requests of a project could not be read.
    """
    waiting = await _waiting(bridge, page)
    read = await _read(bridge, page)
    rows: list[Row] = []
    room = PAGE_BYTES
    for session in page.sessions:
        if page.totals and session.id in read:
            page.totals.correct(session, read[session.id][1])
    for session in page.sessions:
        row = _row(session, page.status.get(session.id, "idle"), read.get(session.id), is_waiting=session.id in waiting)
        room -= json_size(row)
        if rows and room < 0:
            page.cursor = write_cursor(page.sessions[len(rows) - 1])
            break
        rows.append(row)
    return rows


async def _waiting(bridge: "Bridge", page: SessionPage) -> set[str]:
    """Return the busy sessions of a page that wait for an answer, their subagents' requests included."""
    waiting: set[str] = set()
    for session in page.sessions:
        if session.id in page.status and await bridge.requests.open(session.directory, session.id):
            waiting.add(session.id)
    return waiting


async def _read(bridge: "Bridge", page: SessionPage) -> "dict[str, tuple[LastRun, Spending]]":
    """Read the end of each session of a page that may be read; one that cannot be read in time is left out.

    Nothing is read if the operator denies reading messages.
    """
    if bridge.allowed.denies(MESSAGES):
        return {}
    readable = [session for session in page.sessions if session.directory in page.readable]
    reads = {session.id: partial(_read_one, bridge, session) for session in readable}
    found, _ = await read_each(reads, within=SECONDS)
    return cast("dict[str, tuple[LastRun, Spending]]", found)


async def _read_one(bridge: "Bridge", session: "Session") -> "tuple[LastRun, Spending]":
    return await read_last_run(bridge.client, session), await own_spending(bridge.client, session)


def _row(session: "Session", status: str, read: "tuple[LastRun, Spending] | None", *, is_waiting: bool) -> Row:
    last, spent = read or (None, Spending(session.cost or 0))
    row: Row = {
        "session_id": session.id,
        "status": status,
        "outcome": _outcome(status, last, is_waiting=is_waiting),
        "changed": moment(max(session.changed, last.changed if last else 0)),
        "title": one_line(session.title),
        "prompt": last.prompt if last else "",
        "directory": session.directory,
        "cost": round(spent.cost, 6),
        "parent": session.parent_id or "",
        "forked_from": session.forked_from,
        "archived": session.time.archived is not None,
    }
    return {name: value for name, value in row.items() if value is not False and value != ""}


def _outcome(status: str, last: LastRun | None, *, is_waiting: bool) -> str:
    if is_waiting:
        return "waiting"
    if status != "idle":
        return "running"
    return last.outcome if last else ""


def rows_text(rows: list[Row], totals: Totals | None) -> str:
    """Return rows as text for a model, one line each; what all have in common is said once."""
    if not rows:
        return "No session fits."
    directories = {row["directory"] for row in rows}
    common = f"All in {one_line(directories.pop())}." if len(directories) == 1 else ""
    head = [totals_text(totals) if totals else "", common]
    return "\n".join([" ".join(filter(None, head)), *(_line(row, common=bool(common)) for row in rows)]).strip()


def totals_text(totals: Totals) -> str:
    """Return the line about all sessions of a selection."""
    least = "" if totals.is_whole else "At least "
    noun = "session" if totals.sessions == 1 else "sessions"
    forks = f", with what {totals.uncertain_forks} forks copied" if totals.uncertain_forks else ""
    return f"{least}{totals.sessions} {noun}, {amount_text(totals.spent)} (without subagents{forks})."


def totals_data(totals: Totals) -> Row:
    """Return the totals of a selection as structured content."""
    return {
        "sessions": totals.sessions,
        **amount_data(totals.spent),
        "complete": totals.is_whole and not totals.uncertain_forks,
    }


def _line(row: Row, *, common: bool) -> str:
    facts = [
        row["session_id"],
        row.get("outcome") or row["status"],
        f"changed {row['changed']}",
        f"${row['cost']:.4f}",
        one_line(row.get("title", "")),
        f'prompt "{row["prompt"]}"' if row.get("prompt") else "",
        "" if common else one_line(row["directory"]),
        f"subagent of {row['parent']}" if row.get("parent") else "",
        f"fork of {row['forked_from']}" if row.get("forked_from") else "",
        "archived" if row.get("archived") else "",
    ]
    return " · ".join(filter(None, facts))
