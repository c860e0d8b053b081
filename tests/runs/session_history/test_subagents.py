"""Subagents of sessions, at every level."""

from typing import TYPE_CHECKING, cast

import pytest

from opencode_mcp.errors import NotFound
from opencode_mcp.opencode.vocabulary.session_filter import Page, SessionFilter
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.session_history import subagents
from opencode_mcp.runs.session_history.subagents import Subagents, read_subagents, read_subagents_of

if TYPE_CHECKING:
    from opencode_mcp.opencode.client import OpenCodeClient

pytestmark = pytest.mark.anyio


def session(name: str, parent: str = "", updated: float = 1) -> Session:
    return Session.read({"id": name, "parentID": parent or None, "time": {"updated": updated}})


FAMILY = [session("a"), session("b", "a"), session("c", "a"), session("d", "b"), session("e")]


class Sessions:
    """Client of some sessions, the latest first, in pages of two."""

    def __init__(self, *sessions: Session) -> None:
        self.sessions = sorted(sessions, key=lambda one: -one.time.updated)

    async def all_sessions(self, wanted: SessionFilter, _directory: str) -> Page[Session]:
        """Return the next page."""
        found = [one for one in self.sessions if not wanted.before or one.time.updated < wanted.before]
        return Page(found[: wanted.limit], "more" if len(found) > wanted.limit else "")

    async def session_children(self, session_id: str) -> list[Session]:
        """Return the subagents that a session started."""
        return [one for one in self.sessions if one.parent_id == session_id]


def test_the_subagents_of_subagents_are_found_once() -> None:
    family = Subagents(FAMILY)
    assert sorted(one.id for one in family.below("a")) == ["b", "c", "d"]
    assert [one.id for one in family.started_by("b")] == ["d"]
    assert family.below("e") == []


def test_sessions_that_name_each_other_as_parents_end_the_search() -> None:
    circle = Subagents([session("a", "b"), session("b", "a")])
    assert [one.id for one in circle.below("a")] == ["b"]


async def test_all_pages_are_read_also_if_several_sessions_changed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subagents, "SESSIONS_A_PAGE", 2)
    sessions = [session("a", updated=1), session("b", "a", 2), session("c", "a", 2), session("d", "b", 3)]
    found = await read_subagents(cast("OpenCodeClient", Sessions(*sessions)))
    assert sorted(one.id for one in found.below("a")) == ["b", "c", "d"]


async def test_a_subagent_that_is_deleted_meanwhile_has_no_subagents() -> None:
    class Deleted(Sessions):
        async def session_children(self, session_id: str) -> list[Session]:
            if session_id == "b":
                raise NotFound("Session not found")
            return await super().session_children(session_id)

    found = await read_subagents_of(cast("OpenCodeClient", Deleted(*FAMILY)), session("a"))
    assert sorted(one.id for one in found.below("a")) == ["b", "c"]


async def test_the_subagents_of_one_session_are_read_level_by_level() -> None:
    found = await read_subagents_of(cast("OpenCodeClient", Sessions(*FAMILY)), session("a"))
    assert sorted(one.id for one in found.below("a")) == ["b", "c", "d"]
