"""Reading the end of a session whose work has ended a moment ago: OpenCode 1 stores the end of an abort late."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import anyio
import pytest

from opencode_mcp.events.session_state import SessionState
from opencode_mcp.opencode.vocabulary.session_filter import Page
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.server.sessions import session_facts
from opencode_mcp.server.sessions.session_facts import read_end

if TYPE_CHECKING:
    from opencode_mcp.server.bridge import Bridge

pytestmark = pytest.mark.anyio

SESSION = Session.read({"id": "ses_1"})
ABORTED = {"name": "MessageAbortedError"}


def messages(**fields: object) -> list[Message]:
    asked: dict[str, Any] = {"id": "msg_1", "sessionID": "ses_1", "role": "user", "time": {"created": 1}}
    answer: dict[str, Any] = {**asked, "id": "msg_2", "role": "assistant", "parentID": "msg_1", **fields}
    text = {"type": "text", "text": "Half"}
    return [Message.read({"info": asked, "parts": [text]}), Message.read({"info": answer, "parts": [text]})]


class Messages:
    """Client of one session, whose aborted answer gets its end after some reads."""

    def __init__(self, ends_after: int) -> None:
        self.reads = 0
        self._ends_after = ends_after

    async def session_messages(self, _session_id: str, **_query: object) -> Page[Message]:
        """Return the messages."""
        self.reads += 1
        return Page(messages(error=ABORTED) if self.reads > self._ends_after else messages(), "")


async def outcome(client: Messages, state: SessionState) -> str:
    def denies(_use: str) -> bool:
        return False

    def state_of(_session_id: str) -> SessionState:
        return state

    bridge = SimpleNamespace(
        client=client,
        allowed=SimpleNamespace(denies=denies),
        runs=SimpleNamespace(known=SimpleNamespace(schemas={})),
        hub=SimpleNamespace(state=state_of),
    )
    last, _ = await read_end(cast("Bridge", bridge), SESSION)
    return last.outcome


async def test_the_end_of_an_abort_is_waited_for_if_the_work_ended_just_now() -> None:
    assert await outcome(Messages(ends_after=2), SessionState(ended=anyio.current_time())) == "aborted"


@pytest.mark.parametrize("state", [SessionState(), SessionState(working_on="msg_1")])
async def test_no_end_is_waited_for_if_none_was_seen(state: SessionState) -> None:
    client = Messages(ends_after=1)
    assert await outcome(client, state) == "failed"
    # The last run and the account of its cost are read, once each.
    assert client.reads <= 2


async def test_an_end_that_does_not_come_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_facts, "END_SECONDS", 0.2)
    assert await outcome(Messages(ends_after=1000), SessionState(ended=anyio.current_time())) == "failed"
