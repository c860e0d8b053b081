"""A tree of subagents is stopped whatever its shape, and a part that cannot be read keeps nothing else running."""

from collections.abc import Callable
from typing import Any, cast

import anyio
import pytest

from opencode_mcp.errors import BackendFailed, NotFound
from opencode_mcp.opencode.vocabulary.session_filter import Page
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session, SessionStatus
from opencode_mcp.runs import session_stopping
from opencode_mcp.runs.session_stopping import SessionTree

pytestmark = pytest.mark.anyio

ROOT = "ses_0"
Children = Callable[[str], list[str]]


class Backend:
    """As much of OpenCode as a tree asks: children by a rule; every session is busy until it is aborted."""

    def __init__(
        self, children: Children, *, silent_below: str = "", deleted: str = "", unlisted: bool = False
    ) -> None:
        self._children = children
        self._unlisted = unlisted
        self._deleted = deleted
        self._silent_below = silent_below
        self._seen = [ROOT]
        self.aborted: list[str] = []
        self.aborted_at_first_read: list[str] | None = None
        """The sessions that were aborted when the tree was read for the first time."""

    async def session_children(self, session_id: str) -> list[Session]:
        """The children by the rule."""
        if self.aborted_at_first_read is None:
            self.aborted_at_first_read = list(self.aborted)
        if session_id == self._silent_below:
            await anyio.sleep_forever()
        found = self._children(session_id)
        self._seen += found
        if self._unlisted:
            raise BackendFailed("OpenCode failed at session.list")
        return [Session(id=name, directory="/project") for name in found]

    async def session_status(self, _directory: str) -> dict[str, SessionStatus]:
        """Return each known session that was not aborted as busy."""
        return {name: SessionStatus(type="busy") for name in self._seen if name not in self.aborted}

    async def session_get(self, session_id: str) -> Session:
        """A session with its parent, by the rule."""
        parents = [name for name in self._seen if session_id in self._children(name)]
        return Session.read({"id": session_id, "directory": "/project", "parentID": parents[0] if parents else None})

    async def session_messages(self, session_id: str, *, limit: int) -> Page[Message]:
        """One running call of each session that exists."""
        assert limit > 0
        if session_id == self._deleted:
            raise NotFound("Session not found")
        part = {"id": f"prt_{session_id}", "type": "tool", "tool": "bash", "state": {"status": "running"}}
        info = {"id": "msg_1", "sessionID": session_id, "role": "assistant"}
        return Page([Message.read({"info": info, "parts": [part]})], "")

    async def running_shell(self, _session_id: str, _directory: str) -> str:
        """None."""
        return ""

    async def session_abort(self, session_id: str, _directory: str) -> None:
        """Note it."""
        self.aborted.append(session_id)


def tree(backend: Backend) -> SessionTree:
    return SessionTree(cast("Any", backend), ROOT, "/project")


def chain(length: int) -> Children:
    def children(session_id: str) -> list[str]:
        number = int(session_id.removeprefix("ses_"))
        return [f"ses_{number + 1}"] if number < length else []

    return children


@pytest.mark.parametrize("depth", [1, 60, 700])
async def test_a_tree_of_any_depth_is_stopped_from_its_end(depth: int) -> None:
    backend = Backend(chain(depth))
    assert await tree(backend).stop(30) == []
    assert backend.aborted == [f"ses_{number}" for number in range(depth, -1, -1)]


async def test_what_was_just_read_as_busy_is_aborted_before_anything_is_read_again() -> None:
    backend = Backend(chain(2))
    assert await tree(backend).stop(30, [[ROOT], ["ses_1"]]) == []
    assert backend.aborted_at_first_read == ["ses_1", ROOT]
    assert backend.aborted == ["ses_1", ROOT, "ses_2"]


async def test_a_subagent_that_is_deleted_meanwhile_does_not_hide_what_the_others_have_begun() -> None:
    begun = await tree(Backend(chain(2), deleted="ses_1")).started_calls()
    assert [call.session_id for call in begun] == ["ses_0", "ses_2"]


async def test_a_tree_that_names_a_session_twice_or_goes_in_circles_is_read_once() -> None:
    below = {ROOT: ["ses_1", "ses_2"], "ses_1": ["ses_2", ROOT], "ses_2": ["ses_1"]}
    backend = Backend(lambda session_id: below[session_id])
    assert await tree(backend).levels() == [[ROOT], ["ses_1", "ses_2"]]
    assert await tree(backend).stop(30) == []
    assert sorted(backend.aborted) == sorted(below)


async def test_a_tree_without_end_is_read_in_part_and_what_was_read_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_stopping, "MOST_SESSIONS", 100)
    backend = Backend(lambda session_id: [f"{session_id}0", f"{session_id}1"])
    with anyio.fail_after(30):
        assert await tree(backend).stop(20) == []
    assert 100 <= len(backend.aborted) <= 200
    assert backend.aborted[-1] == ROOT


async def test_children_whose_parent_is_never_known_do_not_keep_the_rest_from_being_stopped() -> None:
    backend = Backend(chain(5), silent_below="ses_3")
    with anyio.fail_after(30):
        await tree(backend).stop(1)
    assert backend.aborted == ["ses_3", "ses_2", "ses_1", ROOT]


async def test_subagents_that_opencode_cannot_list_are_stopped_as_far_as_they_are_busy() -> None:
    backend = Backend(chain(2), unlisted=True)
    assert await tree(backend).stop(30) == []
    assert backend.aborted == ["ses_2", "ses_1", ROOT]
