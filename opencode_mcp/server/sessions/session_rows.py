"""Rows of a list of sessions: for each, the outcome of its last run, its cost, its last prompt, and changed files.

OpenCode's list has none of these, so the end of each session on the page is read, twelve at a time. To
read a session makes OpenCode open its project. Therefore only sessions of projects that are open, listed by name or
named by the caller are read; the outcome of another one is ``unknown``.
"""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, cast

import anyio

from opencode_mcp.diffs.authorship import Period
from opencode_mcp.errors import BridgeError
from opencode_mcp.opencode.http_client.read_group import read_each
from opencode_mcp.opencode.vocabulary.default_titles import without_repetition
from opencode_mcp.runs.session_history.last_run import LastRun
from opencode_mcp.runs.session_history.session_changes import NO_CHANGES, SessionChanges, changes_in, read_changes
from opencode_mcp.runs.session_history.spending import Spending
from opencode_mcp.runs.session_history.subagents import read_subagents
from opencode_mcp.server.access.operations_of_tools import MESSAGES
from opencode_mcp.server.results.paging import PAGE_BYTES
from opencode_mcp.server.sessions import session_list
from opencode_mcp.server.sessions.changed_paths import MAYBE, changes_data, changes_text
from opencode_mcp.server.sessions.session_facts import (
    CHANGED_SINCE_MS,
    PresentState,
    SessionFacts,
    cost_data,
    cost_text,
    facts_of,
    read_end,
    unread,
)
from opencode_mcp.server.sessions.titles import UNTITLED, title_of
from opencode_mcp.server.sessions.totals import Totals, archived_text, totals_data, totals_text
from opencode_mcp.text.json_text import json_size
from opencode_mcp.text.outside_text import one_line
from opencode_mcp.text.utc_time import utc_text

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.runs.session_history.subagents import Subagents
    from opencode_mcp.server.bridge import Bridge

READ_SECONDS = 5.0
"""Seconds in which the sessions of a page are read; what is missing then is left out."""
CHANGES_SECONDS = 3.0
"""Seconds in which the files of a session are read; the rest of its row does not wait for them."""
MESSAGES_READ = 50
"""Most messages of a session that are read for the files that it changed."""
ALWAYS = Period(0, inf)
UNKNOWN = "unknown: the outcome and the prompt were not read, since {}."
CLOSED = "OpenCode has not opened the project; directory=... opens one and reads its sessions"
SLOW = "OpenCode did not answer in time; call again, or with a smaller limit"
WHY_UNREAD = {False: CLOSED, True: SLOW}
"""Reasons why a session was not read, by whether it may be read."""
NOTHING_FITS = "No session fits."
DENIED = "the settings of this MCP server deny it"

RowData = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """Row of a list."""

    session: "Session"
    facts: SessionFacts
    changes: SessionChanges
    data: RowData
    """The row as structured content."""


@dataclass(frozen=True, slots=True)
class SessionRows:
    """Rows of a page, and the totals of the whole selection if they were wanted."""

    rows: list[Row] = field(default_factory=list[Row])
    totals: Totals | None = None
    cursor: str = ""
    unread: str = ""
    """Sentence on the sessions that were not read; empty if there are none."""

    @property
    def data(self) -> RowData:
        """Return the page as structured content."""
        totals = {"totals": totals_data(self.totals)} if self.totals else {}
        return {"sessions": [row.data for row in self.rows], "cursor": self.cursor} | totals

    @property
    def text(self) -> str:
        """Return the page as text for a model, one line for each session; what all have in common is said once."""
        if not self.rows:
            return f"{NOTHING_FITS}{archived_text(self.totals) if self.totals else ''}"
        common = self._common_directory()
        head = " ".join(filter(None, [totals_text(self.totals, len(self.rows)) if self.totals else "", common]))
        lines = [_line(row, common=bool(common)) for row in self.rows]
        more = f'More with cursor="{self.cursor}".' if self.cursor else ""
        maybe = MAYBE if any(_is_uncertain(row) for row in self.rows) else ""
        return "\n".join(filter(None, [head, *lines, maybe, self.unread, more]))

    def _common_directory(self) -> str:
        """Return a sentence with the directory of all sessions, or of those that are shown; empty if they differ."""
        is_whole = self.totals is not None and self.totals.is_whole and len(self.totals.directories) == 1
        directories = {row.session.directory for row in self.rows}
        return (
            f"{'All' if is_whole else 'These are'} in {one_line(directories.pop())}." if len(directories) == 1 else ""
        )


@dataclass(frozen=True, slots=True)
class _End:
    """End of a session, and what it changed."""

    last: LastRun
    own: Spending
    """Spending of the session itself."""
    changes: SessionChanges = NO_CHANGES


async def session_rows(bridge: "Bridge", page: session_list.SessionPage) -> SessionRows:
    """Return the rows of a page; if they would be too long, the page is cut, and its cursor changed.

    Raises:
        BackendError: The subagents, or the open requests of a project, could not be read.
    """
    waiting = await _waiting(bridge, page)
    ends = await _without_brought_files(bridge, page, await _read_ends(bridge, page))
    subagents = await read_subagents(bridge.client, page.directory)
    if page.totals:
        for session in page.sessions:
            end = ends[session.id]
            if end.last.outcome != "unknown":
                page.totals.correct(session, end.own)
        page.totals.add_subagents(subagents)
    facts = {
        session.id: _facts(bridge, session, ends[session.id], subagents, _present(page, session, waiting))
        for session in page.sessions
    }
    if page.totals:
        is_idle = page.totals.sessions.isdisjoint(page.status)
        page.totals.is_cost_known = is_idle and all(one.is_cost_known for one in facts.values())
    rows = _fitted(bridge, page, facts, ends)
    return replace(rows, unread=_unread(bridge, page, rows.rows))


def _unread(bridge: "Bridge", page: session_list.SessionPage, rows: list[Row]) -> str:
    """Return why the outcomes of some rows are unknown; empty if none is."""
    unknown = [row.session for row in rows if row.facts.outcome == "unknown"]
    if not unknown:
        return ""
    if bridge.allowed.denies(MESSAGES):
        return UNKNOWN.format(DENIED)
    are_readable = {session.directory in page.readable for session in unknown}
    return UNKNOWN.format(" or ".join(WHY_UNREAD[is_readable] for is_readable in sorted(are_readable)))


def _facts(
    bridge: "Bridge", session: "Session", end: _End, subagents: "Subagents", present: PresentState
) -> SessionFacts:
    return facts_of(bridge, session, (end.last, end.own), subagents, present)


def _fitted(
    bridge: "Bridge", page: session_list.SessionPage, facts: dict[str, SessionFacts], ends: dict[str, _End]
) -> SessionRows:
    """Return the rows that fit, with the cursor of those that follow."""
    rows: list[Row] = []
    room, cursor = PAGE_BYTES, page.cursor
    for session in page.sessions:
        data = _row_data(session, facts[session.id]) | _worktree_data(bridge, session)
        # In a worktree of its own, no other session changes files.
        changes = ends[session.id].changes.made_certain() if "isolated" in data else ends[session.id].changes
        data |= changes_data(changes, session.directory)
        room -= json_size(data)
        if rows and room < 0:
            cursor = session_list.write_cursor(rows[-1].session)
            break
        rows.append(Row(session, facts[session.id], changes, data))
    return SessionRows(rows, page.totals, cursor)


async def _waiting(bridge: "Bridge", page: session_list.SessionPage) -> set[str]:
    """Return the sessions of a page that wait for an answer, their subagents' requests included."""
    waiting: set[str] = set()
    for directory in {session.directory for session in page.sessions} & page.opened:
        waiting |= await bridge.requests.idle_askers(directory)
    for session in page.sessions:
        if session.id in page.status and await bridge.requests.open(session.directory, session.id):
            waiting.add(session.id)
    return waiting


def _present(page: session_list.SessionPage, session: "Session", waiting: set[str]) -> PresentState:
    return PresentState(is_running=session.id in page.status, asks=session.id in waiting)


async def _read_ends(bridge: "Bridge", page: session_list.SessionPage) -> dict[str, _End]:
    """Read the end of each session of a page that may be read; one that cannot be read in time stays unknown."""
    readable = [session for session in page.sessions if session.directory in page.readable]
    found, _ = await read_each({one.id: partial(_read_end, bridge, one) for one in readable}, within=READ_SECONDS)
    return {session.id: _End(*unread(session)) for session in page.sessions} | cast("dict[str, _End]", found)


async def _without_brought_files(
    bridge: "Bridge", page: session_list.SessionPage, ends: dict[str, _End]
) -> dict[str, _End]:
    """Leave out the files that isolated work of other sessions explains, which was brought back at that time."""
    unsure = {session.directory for session in page.sessions if not ends[session.id].changes.are_certain}
    brought = {directory: await bridge.runs.other_work(directory, ALWAYS) for directory in unsure}
    for session in page.sessions:
        end = ends[session.id]
        ends[session.id] = replace(end, changes=end.changes.without(brought.get(session.directory, [])))
    return ends


async def _read_end(bridge: "Bridge", session: "Session") -> _End:
    """Read the end of a session, and further messages only if these are not all, for the files that it changed."""
    last, own = await read_end(bridge, session)
    if last.outcome == "unknown":
        return _End(last, own)
    if last.is_whole:
        return _End(last, own, changes_in(last.latest, session))
    changes = SessionChanges(is_whole=False)
    with anyio.move_on_after(CHANGES_SECONDS), suppress(BridgeError):
        changes = await read_changes(bridge.client, session, MESSAGES_READ)
    return _End(last, own, changes)


def _row_data(session: "Session", facts: SessionFacts) -> RowData:
    row: RowData = {
        "session_id": session.id,
        "status": facts.present.status,
        "outcome": facts.outcome,
        "changed": utc_text(session.time.updated),
        "ended": utc_text(facts.ended) if facts.ended else "",
        "title": title_of(session),
        "prompt": facts.last.prompt,
        "directory": session.directory,
        "parent": session.parent_id or "",
        "forked_from": session.forked_from,
    }
    if session.time.archived is not None:
        row["archived"] = True
    return {name: value for name, value in row.items() if value != ""} | cost_data(facts)


def _worktree_data(bridge: "Bridge", session: "Session") -> RowData:
    """Return the branch of a session's isolated worktree, and what became of its work; empty for other sessions."""
    worktree = bridge.worktrees.records.at(session.directory)
    if worktree is None:
        return {}
    data: RowData = {"isolated": worktree.branch}
    if worktree.removed:
        data["worktree_removed"] = True
    if worktree.is_brought:
        data["brought_back"] = True
    return data


def _worktree_text(data: RowData) -> str:
    """Return that a session is isolated, and on which branch as long as its worktree is there; empty for others."""
    if "isolated" not in data:
        return ""
    place = "isolated, worktree removed" if data.get("worktree_removed") else f"isolated on {data['isolated']}"
    return f"{place}, brought back" if data.get("brought_back") else place


def _state_text(facts: SessionFacts) -> str:
    """Return the outcome of the last run, after what the session needs if that is something else."""
    is_idle = not facts.present.is_running
    return f"{facts.present.status}, last run {facts.outcome}" if is_idle and facts.present.asks else facts.outcome


def _time_text(row: Row) -> str:
    """Return the time by which the list is sorted, and that of the end of the last run if it is another one."""
    changed = f"changed {row.data['changed']}"
    ended, updated = row.facts.ended, row.session.time.updated
    return f"{changed}, ended {row.data['ended']}" if ended and abs(updated - ended) >= CHANGED_SINCE_MS else changed


def _is_uncertain(row: Row) -> bool:
    return not row.changes.are_certain


def _line(row: Row, *, common: bool) -> str:
    data = row.data
    title, prompt = without_repetition(data.get("title", ""), data.get("prompt", ""))
    facts = [
        data["session_id"],
        _state_text(row.facts),
        _time_text(row),
        cost_text(row.facts),
        one_line(title) or ("" if prompt else UNTITLED),
        f'prompt "{prompt}"' if prompt else "",
        changes_text(row.changes, row.session.directory),
        "" if common else one_line(data["directory"]),
        _worktree_text(data),
        f"subagent of {data['parent']}" if data.get("parent") else "",
        f"fork of {data['forked_from']}" if data.get("forked_from") else "",
        "archived" if data.get("archived") else "",
    ]
    return " · ".join(filter(None, facts))
