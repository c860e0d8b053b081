"""Messages that a session wrote itself, and those that a fork copied."""

from typing import TYPE_CHECKING, cast

import pytest

from opencode_mcp.opencode.vocabulary.session_filter import Page
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.opencode.vocabulary.wire.shared_values import Tokens
from opencode_mcp.runs.prompting.message_ids import message_id
from opencode_mcp.runs.session_history.history import is_copied
from opencode_mcp.runs.session_history.spending import own_spending, read_account

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
    account = await read_account(client, SESSION)
    assert [step.time for step in account.steps] == [BEGAN + 200, BEGAN + 100]
    assert account.beside.is_nothing
    spent = await own_spending(client, SESSION)
    assert (round(spent.cost, 9), round(spent.input, 9)) == (0.6, 60)


@pytest.mark.anyio
async def test_the_messages_report_the_cost_where_a_session_has_none() -> None:
    client = cast("OpenCodeClient", Messages(*OWN))
    unpriced = SESSION.model_copy(update={"counts_copies": False, "cost": None})
    assert round((await own_spending(client, unpriced)).cost, 9) == 0.6


@pytest.mark.anyio
async def test_what_no_message_shows_counts_in_the_same_way_in_an_account_and_in_a_total() -> None:
    client = cast("OpenCodeClient", Messages(*OWN))
    counted = SESSION.model_copy(update={"counts_copies": False, "cost": 0.75, "tokens": Tokens(input=70, output=6.5)})
    account = await read_account(client, counted)
    assert (round(account.beside.cost, 9), account.beside.input, account.beside.output) == (0.15, 10, 0.5)
    total, own = account.total, await own_spending(client, counted)
    assert (round(total.cost, 9), total.input, total.output) == (round(own.cost, 9), own.input, own.output)
    later = await read_account(client, counted, BEGAN + 1)
    assert later.beside.is_nothing, "it has no time, and the session began before the period"


@pytest.mark.anyio
async def test_a_count_that_lags_behind_the_messages_is_not_used() -> None:
    client = cast("OpenCodeClient", Messages(*OWN))
    behind = SESSION.model_copy(update={"counts_copies": False, "cost": 0})
    assert round((await own_spending(client, behind, OWN)).cost, 9) == 0.6
    assert (await own_spending(client, behind, COPIES)).is_nothing, "copies are not its own"


@pytest.mark.anyio
async def test_steps_before_the_period_are_not_read() -> None:
    client = cast("OpenCodeClient", Messages(*COPIES, *OWN))
    assert [step.time for step in (await read_account(client, SESSION, BEGAN + 150)).steps] == [BEGAN + 200]


@pytest.mark.anyio
async def test_a_step_without_a_cost_is_marked_by_the_reason() -> None:
    stopped = answer(BEGAN + 1, BEGAN + 1, 0, {"name": "MessageAbortedError"})
    paid = answer(BEGAN + 2, BEGAN + 2, 0.1, {"name": "APIError"})
    unpriced = answer(BEGAN + 3, BEGAN + 3, 0)
    ended = unpriced.model_copy(update={"info": unpriced.info.model_copy(update={"finish": "stop"})})
    account = await read_account(cast("OpenCodeClient", Messages(stopped, paid, unpriced, ended)), SESSION)
    assert [step.has_no_usage for step in account.steps] == [True, False, False, False]
    assert [step.is_broken_off for step in account.steps] == [False, False, False, True]


def test_a_message_from_before_a_clock_was_set_back_is_no_copy() -> None:
    early = answer(BEGAN - 3600, BEGAN - 3600)
    assert not is_copied(early.info, SESSION)
    assert is_copied(COPIES[0].info, SESSION)
    foreign = early.info.model_copy(update={"id": "msg_zzz"})
    assert is_copied(foreign, SESSION)
