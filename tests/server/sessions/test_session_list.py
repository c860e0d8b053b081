"""Pages of the list of sessions: a long search for the caller's among those of others, and its cursor."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from opencode_mcp.opencode.vocabulary.session_filter import SessionFilter
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.server.sessions import session_list
from opencode_mcp.server.sessions.session_list import SessionQuery, list_sessions

pytestmark = pytest.mark.anyio

LONG_AFTER = 10.0**6
"""Seconds since the epoch; no session has changed lately."""
OWN, FOREIGN = "/own", "/foreign"


class Machine:
    """OpenCode with sessions of several owners, and the fence of one of them."""

    def __init__(self, sessions: list[Session]) -> None:
        self._sessions = sorted(sessions, key=lambda session: -session.time.updated)
        self.clock = SimpleNamespace(now=lambda: LONG_AFTER)
        self.client = self.fence = self

    async def all_sessions(self, wanted: SessionFilter, _directory: str) -> SimpleNamespace:
        """Return a page."""
        left = [one for one in self._sessions if not wanted.before or one.time.updated < wanted.before]
        return SimpleNamespace(items=left[: wanted.limit], cursor="more" if left[wanted.limit :] else "")

    async def allows(self, directory: str) -> bool:
        """Return True for the directory of the caller."""
        return directory == OWN

    async def roots(self) -> list[str]:
        """Return the directory of the caller."""
        return [OWN]

    def project_of(self, directory: str) -> str:
        """Return the directory."""
        return directory


def session(name: str, directory: str, updated: float) -> Session:
    time = {"created": 1, "updated": updated}
    return Session.read({"id": f"ses_{name}", "directory": directory, "title": name, "time": time})


async def test_the_cursor_of_a_long_search_names_no_session_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_list, "PAGES_SEARCHED", 1)
    monkeypatch.setattr(session_list, "FIRST_PAGE", 3)
    others = [session(f"other{number}", FOREIGN, number) for number in range(1, 9)]
    own = [session("a", OWN, 7), session("b", OWN, 4), session("c", OWN, 1)]
    bridge = cast("Any", Machine([*others, *own]))
    seen: list[str] = []
    cursor = ""
    for _ in range(len(others) + len(own)):
        page = await list_sessions(bridge, SessionQuery(), 5, cursor)
        seen += [one.id for one in page.sessions]
        cursor = page.cursor
        assert "other" not in cursor
        if not cursor:
            break
    assert seen == ["ses_a", "ses_b", "ses_c"]
