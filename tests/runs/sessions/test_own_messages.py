"""Messages that a session wrote itself, and those that a fork copied."""

from typing import TYPE_CHECKING, cast

import pytest

from opencode_mcp.opencode.vocabulary.models import Message, Session
from opencode_mcp.opencode.vocabulary.selection import Page
from opencode_mcp.runs.prompting.message_ids import message_id
from opencode_mcp.runs.sessions.history import is_copied
from opencode_mcp.runs.sessions.spending import own_spending, steps_of, with_own_spending

if TYPE_CHECKING:
    from opencode_mcp.opencode.client import OpenCodeClient

BEGAN = 1_795_690_634_519
"""Creation of the session, in milliseconds since the epoch."""
SESSION = Session.read({"id": "ses_1", "time": {"created": BEGAN}, "counts_copies": True, "cost": 0.9})


def answer(made: int, created: int, cost: float = 0.1, error: object = None) -> Message:
    tokens = {"input": 100 * cost, "output": 10 * cost}
    info = {
        "id": message_id(made, 0, bytes(14)),
        "sessionID": "ses_1",
        "role": "assistant",
        "time": {"created": created},
        "cost": cost,
        "tokens": tokens,
        "agent": "build",
        "providerID": "p",
        "modelID": "m",
        "error": error,
    }
    return Message.read({"info": info})


class Messages:
    """Client that has pages of two messages."""

    def __init__(self, *messages: Message) -> None:
        self.messages = messages

    async def session_messages(self, _session_id: str, *, limit: int, before: str = "") -> Page[Message]:
        """Return the two messages before a place; the limit is OpenCode's to lower."""
        assert limit > 0
        end = int(before) if before else len(self.messages)
        start = max(end - 2, 0)
        return Page(list(self.messages[start:end]), str(start) if start else "")


COPIES = (answer(BEGAN + 3, BEGAN - 9000), answer(BEGAN + 4, BEGAN - 8000), answer(BEGAN + 5, BEGAN - 7000))
OWN = (answer(BEGAN + 100, BEGAN + 100, 0.2), answer(BEGAN + 200, BEGAN + 200, 0.4))


@pytest.mark.anyio
async def test_only_the_own_steps_of_a_fork_are_counted() -> None:
    client = cast("OpenCodeClient", Messages(*COPIES, *OWN))
    assert [step.time for step in await steps_of(client, SESSION)] == [BEGAN + 200, BEGAN + 100]
    spent = await own_spending(client, SESSION)
    assert (round(spent.cost, 9), round(spent.input, 9)) == (0.6, 60)


@pytest.mark.anyio
async def test_the_messages_tell_the_cost_where_a_session_has_none() -> None:
    client = cast("OpenCodeClient", Messages(*OWN))
    unpriced = SESSION.model_copy(update={"counts_copies": False, "cost": None})
    assert round((await own_spending(client, unpriced)).cost, 9) == 0.6
    shown = await with_own_spending(client, unpriced)
    assert (round(shown.cost or 0, 9), round(shown.tokens.input, 9)) == (0.6, 60)


@pytest.mark.anyio
async def test_steps_before_the_period_are_not_read() -> None:
    client = cast("OpenCodeClient", Messages(*COPIES, *OWN))
    assert [step.time for step in await steps_of(client, SESSION, BEGAN + 150)] == [BEGAN + 200]


@pytest.mark.anyio
async def test_a_step_that_was_stopped_is_marked_as_one_without_a_cost() -> None:
    stopped = answer(BEGAN + 1, BEGAN + 1, 0, {"name": "MessageAbortedError"})
    paid = answer(BEGAN + 2, BEGAN + 2, 0.1, {"name": "APIError"})
    steps = await steps_of(cast("OpenCodeClient", Messages(stopped, paid)), SESSION)
    assert [step.is_uncounted for step in steps] == [False, True]


def test_a_message_from_before_a_clock_was_set_back_is_no_copy() -> None:
    early = answer(BEGAN - 3600, BEGAN - 3600)
    assert not is_copied(early.info, SESSION)
    assert is_copied(COPIES[0].info, SESSION)
    foreign = early.info.model_copy(update={"id": "msg_zzz"})
    assert is_copied(foreign, SESSION)
