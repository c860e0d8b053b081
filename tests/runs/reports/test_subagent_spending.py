"""Spending of the subagents of one run."""

from typing import TYPE_CHECKING, Any, cast

import pytest

from opencode_mcp.errors import BackendUnavailable
from opencode_mcp.opencode.vocabulary.session_filter import Page
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.reports.subagent_spending import read_subagent_spending
from opencode_mcp.runs.session_history.spending import Spending

if TYPE_CHECKING:
    from opencode_mcp.opencode.client import OpenCodeClient

pytestmark = pytest.mark.anyio


def message(created: float, *children: str, cost: float = 0) -> Message:
    parts = [{"type": "tool", "tool": "task", "state": {"metadata": {"sessionId": child}}} for child in children]
    info: dict[str, Any] = {"id": "msg_2", "sessionID": "ses_1", "role": "assistant", "time": {"created": created}}
    return Message.read({"info": info | {"cost": cost}, "parts": parts})


def session(name: str, parent: str, created: float, cost: float) -> Session:
    return Session.read({"id": name, "parentID": parent, "time": {"created": created}, "cost": cost})


class Sessions:
    """OpenCode with the subagents of one session."""

    def __init__(self, *sessions: Session, messages: list[Message] | None = None, answers: bool = True) -> None:
        self.sessions = sessions
        self.messages = messages or []
        self.answers = answers
        self.reads = 0

    async def session_children(self, session_id: str) -> list[Session]:
        """Return the subagents that a session started, or fail."""
        self.reads += 1
        if not self.answers:
            raise BackendUnavailable("Nothing answers.")
        return [one for one in self.sessions if one.parent_id == session_id]

    async def session_messages(self, _session_id: str, *, limit: int, before: str) -> Page[Message]:
        """Return the messages of the older subagent."""
        del limit, before
        return Page(self.messages, "")


async def spending(client: Sessions, *answers: Message) -> tuple[float, int, bool]:
    found = await read_subagent_spending(cast("OpenCodeClient", client), "ses_1", answers)
    return round(found.spent.cost, 6), found.number, found.is_whole


async def test_the_subagents_of_a_run_count_with_theirs_and_not_those_of_other_runs() -> None:
    family = [session("ses_2", "ses_1", 200, 0.5), session("ses_3", "ses_2", 300, 0.25)]
    client = Sessions(*family, session("ses_9", "ses_1", 50, 8))
    assert await spending(client, message(100, "ses_2")) == (0.75, 2, True)


async def test_of_a_subagent_of_an_earlier_run_only_what_it_did_since_then_counts() -> None:
    messages = [message(60, cost=4), message(150, cost=0.5)]
    client = Sessions(session("ses_2", "ses_1", 50, 4.5), messages=messages)
    assert await spending(client, message(100, "ses_2")) == (0.5, 1, True)


async def test_a_run_without_subagents_reads_nothing() -> None:
    client = Sessions()
    assert await spending(client, message(100)) == (0, 0, True)
    assert client.reads == 0


async def test_subagents_that_cannot_be_read_leave_the_sum_incomplete() -> None:
    found = await read_subagent_spending(
        cast("OpenCodeClient", Sessions(answers=False)), "ses_1", [message(1, "ses_2")]
    )
    assert (found.spent, found.is_whole) == (Spending(), False)
