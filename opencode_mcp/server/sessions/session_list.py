"""Pages of the sessions that a caller may see, from OpenCode's list of all sessions.

A cursor is the last shown session, by its time of change and its id. Sessions that are created or changed later come
before it and change no later page. It needs no seal: it names only what its caller has seen, or a time. Each session of
a page is checked, whatever cursor leads there.
"""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opencode_mcp.opencode.vocabulary.session_filter import SessionFilter
from opencode_mcp.server.results.paging import PAGE_BYTES, foreign_cursor
from opencode_mcp.server.sessions import totals as session_totals
from opencode_mcp.text.json_text import json_size
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.server.bridge import Bridge
    from opencode_mcp.server.sessions.totals import Totals

FIRST_PAGE = 100
"""Sessions of the first page that is read; the wanted ones are mostly among them."""
PAGE = 1000
PAGES_SEARCHED = 10
ROW_BYTES = 200
"""Bytes of a row of the list without its title, its directory and its prompt."""
CURSOR = re.compile(r"(\d{1,16})\.(ses_\w{0,251}|)", re.ASCII)
RECENT_MS = 86_400_000.0
"""Milliseconds since its last change within which a session may be busy. A request for the state of older ones would
make OpenCode open their project needlessly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionQuery:
    """Filter for sessions."""

    search: str = ""
    """Words of the title."""
    directory: str = ""
    """Absolute path of the only project; empty: all that are allowed."""
    since: float = 0
    """Earliest time of the last change, in milliseconds since the epoch."""
    running: bool = False
    """True to list only busy sessions."""
    roots: bool = True
    """True to leave out the sessions of subagents."""
    archived: bool = False
    """True to add the sessions that are archived."""


@dataclass(slots=True)
class SessionPage:
    """Page of sessions, the latest first."""

    sessions: "list[Session]" = field(default_factory=list["Session"])
    status: dict[str, str] = field(default_factory=dict[str, str])
    """Status of the sessions that are not idle."""
    cursor: str = ""
    room: float = PAGE_BYTES
    """Bytes that further rows may take."""
    opened: set[str] = field(default_factory=set[str])
    """Directories whose state was read, so that they are open in OpenCode."""
    readable: set[str] = field(default_factory=set[str])
    """Directories whose sessions may be read, which opens them: those that are open, listed by name, or named."""
    directory: str = ""
    """The only project; empty: all that are allowed."""
    totals: "Totals | None" = None
    """Totals of the whole selection, if they were wanted."""

    @property
    def is_complete(self) -> bool:
        """Return True if nothing more is to be read: the page is full, and no totals are wanted."""
        return bool(self.cursor) and self.totals is None

    def has_room(self, session: "Session", limit: int) -> bool:
        """Return True if one more session fits, as the first always does."""
        return not self.sessions or (len(self.sessions) < limit and _size(session) <= self.room)

    def add(self, session: "Session") -> None:
        """Add a session."""
        self.sessions.append(session)
        self.room -= _size(session)


def _size(session: "Session") -> int:
    return ROW_BYTES + json_size(one_line(session.title)) + json_size(session.directory)


async def list_sessions(
    bridge: "Bridge", query: SessionQuery, limit: int, cursor: str, *, room: float = PAGE_BYTES, totals: bool = False
) -> SessionPage:
    """Read OpenCode's pages until enough sessions fit (``experimental.session.list``).

    Args:
        bridge: Reaches OpenCode.
        query: Filter for the sessions.
        limit: Largest number of sessions.
        cursor: Cursor of the page before; empty: from the latest session.
        room: Bytes that the rows of a list may take; callers that show only ids need no limit.
        totals: Whether to read on until all sessions of the selection are counted.

    Raises:
        InvalidArgument: The cursor is not valid.
    """
    wanted = session_totals.Totals(since=query.since) if totals else None
    page = SessionPage(room=room, directory=query.directory, totals=wanted)
    await _fill(bridge, query, page, limit, _read_cursor(cursor))
    page.readable = page.opened | set(await bridge.fence.roots()) | {query.directory}
    places = {session.directory for session in page.sessions}
    page.readable |= {place for place in places if bridge.fence.project_of(place) in page.readable}
    return page


async def _fill(bridge: "Bridge", query: SessionQuery, page: SessionPage, limit: int, last: tuple[float, str]) -> None:
    """Add the wanted sessions after one to a page; see ``list_sessions``."""
    archived = query.archived or page.totals is not None
    for number in range(PAGES_SEARCHED):
        limit_read = FIRST_PAGE if number == 0 else PAGE
        found, more = await _read(bridge, query, last, limit_read, archived=archived)
        if not page.cursor or query.running:
            await _read_status(bridge, page, found)
        await _take(bridge, query, page, found, limit)
        if not more or page.is_complete:
            return
        last = _place_after(found, last)
    _end_search(page, last[0])


def _place_after(found: "Sequence[Session]", last: tuple[float, str]) -> tuple[float, str]:
    """Return the place from which the next page is read: after the last session, or after all of its millisecond."""
    return (found[-1].time.updated, found[-1].id) if found else (last[0] - 1, "")


def _end_search(page: SessionPage, updated: float) -> None:
    """End a search that has read enough, at the sessions of a time, although there are more."""
    page.cursor = page.cursor or _cursor_of_search(page, updated)
    if page.totals:
        page.totals.is_whole = False


def _cursor_of_search(page: SessionPage, updated: float) -> str:
    """Return the cursor after a search that has read enough; the session that was read last may belong to others."""
    shown = page.sessions[-1] if page.sessions else None
    return write_cursor(shown) if shown and shown.time.updated == updated else f"{updated:.0f}."


async def _take(
    bridge: "Bridge", query: SessionQuery, page: SessionPage, found: "Sequence[Session]", limit: int
) -> None:
    """Add the wanted sessions to a page until it is full, which its cursor shows, and to the totals."""
    for session in found:
        if page.is_complete:
            return
        if not await _wanted(bridge, session, query, page.status):
            continue
        is_left_out = _is_left_out(session, query)
        _count(page.totals, session, is_left_out=is_left_out)
        if page.cursor or is_left_out:
            continue
        if page.has_room(session, limit):
            page.add(session)
        else:
            page.cursor = write_cursor(page.sessions[-1])


async def _read(
    bridge: "Bridge", query: SessionQuery, last: tuple[float, str], limit: int, *, archived: bool
) -> "tuple[Sequence[Session], bool]":
    """Return the sessions after one, and whether there are more."""
    wanted = SessionFilter(
        search=query.search,
        roots=query.roots,
        since=query.since,
        # OpenCode's own cursor skips sessions of the same millisecond.
        before=last[0] + 1 if last[0] else 0,
        archived=archived,
        limit=limit,
    )
    # OpenCode's filter would leave out the sessions in isolated worktrees of the project.
    has_worktrees = query.directory and bridge.has_worktrees(query.directory)
    page = await bridge.client.all_sessions(wanted, "" if has_worktrees else query.directory)
    same = [session.id for session in page.items if session.time.updated == last[0]]
    passed = same.index(last[1]) + 1 if last[1] in same else 0
    return page.items[passed:], bool(page.cursor)


async def _wanted(bridge: "Bridge", session: "Session", query: SessionQuery, status: dict[str, str]) -> bool:
    if query.running and session.id not in status:
        return False
    if query.directory:
        return bridge.fence.project_of(session.directory) == query.directory
    return await bridge.fence.allows(session.directory)


def _count(totals: "Totals | None", session: "Session", *, is_left_out: bool) -> None:
    """Count a session in the totals, if they are wanted."""
    if totals and is_left_out:
        totals.archived += 1
    elif totals:
        totals.add(session)


def _is_left_out(session: "Session", query: SessionQuery) -> bool:
    """Return True for an archived session of a list without those: they are only read to be counted."""
    return session.time.archived is not None and not query.archived


async def _read_status(bridge: "Bridge", page: SessionPage, sessions: "Sequence[Session]") -> None:
    """Read which sessions are busy, in the projects where one may be."""
    since = bridge.client.clock.now() * 1000 - RECENT_MS
    directories = {session.directory for session in sessions if session.time.updated > since}
    for directory in sorted(directories - page.opened):
        if await bridge.fence.allows(directory) and not bridge.fence.is_removed(directory):
            busy = await bridge.client.session_status(directory)
            page.status |= {session_id: state.type for session_id, state in busy.items()}
            page.opened.add(directory)


def _read_cursor(cursor: str) -> tuple[float, str]:
    if not cursor:
        return 0, ""
    parts = CURSOR.fullmatch(cursor)
    if not parts:
        raise foreign_cursor(cursor)
    return float(parts[1]), parts[2]


def write_cursor(session: "Session") -> str:
    """Return the cursor of the page that follows a session."""
    return f"{session.time.updated:.0f}.{session.id}"
