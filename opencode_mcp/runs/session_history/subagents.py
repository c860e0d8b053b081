"""Subagents of sessions: the sessions that they started, and those that these started."""

from typing import TYPE_CHECKING

from opencode_mcp.errors import NotFound
from opencode_mcp.opencode.vocabulary.session_filter import SessionFilter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opencode_mcp.opencode.client import OpenCodeClient
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session

SESSIONS_A_PAGE = 1000
MOST_PAGES = 10


class Subagents:
    """Subagents by the session that started them.

    Args:
        sessions: Sessions, the subagents among them.
        is_whole: False if OpenCode could not list them.
    """

    def __init__(self, sessions: "Iterable[Session]" = (), *, is_whole: bool = True) -> None:
        self.is_whole = is_whole
        """False if OpenCode could not list them."""
        self._children: dict[str, dict[str, Session]] = {}
        for session in sessions:
            self._children.setdefault(session.parent_id or "", {})[session.id] = session

    def started_by(self, session_id: str) -> "list[Session]":
        """Return the subagents that a session itself started."""
        return list(self._children.get(session_id, {}).values())

    def below(self, session_id: str) -> "list[Session]":
        """Return the subagents of a session and theirs, each once."""
        found: dict[str, Session] = {}
        parents = [session_id]
        while parents:
            started = self._children.get(parents.pop(), {})
            new = {name: session for name, session in started.items() if name not in found and name != session_id}
            found |= new
            parents += new
        return list(found.values())


async def read_subagents(client: "OpenCodeClient", directory: str = "") -> Subagents:
    """Read the subagents of all sessions, of one project if it is named (``experimental.session.list``)."""
    found: dict[str, Session] = {}
    before = 0.0
    for _ in range(MOST_PAGES):
        page = await client.all_sessions(SessionFilter(archived=True, before=before, limit=SESSIONS_A_PAGE), directory)
        known = len(found)
        found |= {session.id: session for session in page.items}
        if not page.cursor or len(found) == known:
            break
        # OpenCode's own cursor skips sessions of the same millisecond.
        before = page.items[-1].time.updated + 1
    return Subagents(found.values())


async def _children(client: "OpenCodeClient", session_id: str) -> "list[Session]":
    """Return the subagents that a session itself started; none if it was deleted meanwhile."""
    try:
        return await client.session_children(session_id)
    except NotFound:
        return []


async def read_subagents_of(client: "OpenCodeClient", session: "Session") -> Subagents:
    """Read the subagents of one session, level by level (``session.children``)."""
    found: dict[str, Session] = {}
    parents = [session.id]
    while parents:
        for child in await _children(client, parents.pop()):
            if child.id not in found:
                found[child.id] = child
                parents.append(child.id)
    return Subagents(found.values())
