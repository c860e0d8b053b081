"""Answers of a prompt, if its run ended without a last step and the session went on."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import pytest

from opencode_mcp.errors import BackendFailed
from opencode_mcp.opencode.vocabulary.wire.message import PROMPT_MARK, Message
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.run_record import (
    SessionRecord,
    answers_in,
    is_cut_short,
    read_session,
    was_followed,
    was_stopped_between,
)
from tests.harness.each import for_each

if TYPE_CHECKING:
    from opencode_mcp.opencode.client import OpenCodeClient

DISMISSED = "The user dismissed this question"
REFUSED = "The user rejected permission to use this specific tool call."
CORRECTED = f"{REFUSED[:-1]} with the following feedback: Do without."


def read(info: Mapping[str, object], parts: Sequence[Mapping[str, object]]) -> Message:
    return Message.read({"info": {"sessionID": "ses_1", **info}, "parts": parts})


def prompt(at: int, mark: str = "", *, synthetic: bool = False) -> Message:
    part = {"type": "text", "text": "Do it.", "synthetic": synthetic}
    return read({"id": f"msg_{at:06}{mark}", "role": "user", "time": {"created": at}}, [part])


def answer(at: int, finish: str = "", error: str = "", *, ended: bool = True, **more: object) -> Message:
    """A step that took 10 ms."""
    state = {"status": "error", "error": error} if error else {"status": "completed", "output": "done"}
    parts = [{"type": "tool", "tool": "bash", "state": state}] if finish == "tool-calls" else []
    time = {"created": at, "completed": at + 10 if ended else None}
    return read({"id": f"msg_{at:06}", "role": "assistant", "finish": finish, "time": time, **more}, parts)


def step(at: int, **more: object) -> Message:
    """A step with a call, and further fields of its message."""
    time = {"created": at, "completed": at + 10}
    return read({"id": f"msg_{at:06}", "role": "assistant", "finish": "tool-calls", "time": time, **more}, [])


ENDED = {
    "a last step": answer(1, "stop"),
    "an abort between two attempts": answer(1),
    "a dismissed question": answer(1, "tool-calls", DISMISSED),
    "a rejected permission": answer(1, "tool-calls", REFUSED),
    "a kill": answer(1, ended=False),
}
GOING_ON = {
    "a step with calls": answer(1, "tool-calls"),
    "a rejection with an instruction": answer(1, "tool-calls", CORRECTED),
    "a call that failed": answer(1, "tool-calls", "No such file"),
}


NOT_CUT = {
    **ENDED,
    "a structured answer": step(1, structured={"n": 1}),
    "a failure": step(1, error={"name": "UnknownError", "data": {}}),
}


@for_each("last", NOT_CUT.values(), ids=NOT_CUT)
def test_an_answer_that_can_be_the_last_is_not_cut_short(last: Message) -> None:
    assert not is_cut_short(last)


STOPPED_SUBAGENT = answer(1, "tool-calls", "Task cancelled")


def test_a_step_that_was_stopped_as_it_began_follows_one_whose_subagent_was_stopped() -> None:
    assert was_stopped_between([STOPPED_SUBAGENT, answer(20, ended=False)])


@pytest.mark.parametrize(
    "answers",
    [
        [],
        [answer(20, ended=False)],
        [answer(1, "tool-calls", "No such file"), answer(20, ended=False)],
        [STOPPED_SUBAGENT, answer(20)],
        [STOPPED_SUBAGENT, answer(20, "tool-calls", "No such file", ended=False)],
    ],
    ids=["nothing", "a kill", "a kill after a failed call", "an end", "a step with a call"],
)
def test_any_other_step_was_not_stopped_as_it_began(answers: list[Message]) -> None:
    assert not was_stopped_between(answers)


@pytest.mark.parametrize("last", GOING_ON.values(), ids=GOING_ON)
def test_a_step_whose_calls_the_model_has_not_seen_is_cut_short(last: Message) -> None:
    assert is_cut_short(last)


@pytest.mark.parametrize("last", ENDED.values(), ids=ENDED)
def test_the_answer_to_the_next_prompt_is_not_that_of_a_run_which_had_ended(last: Message) -> None:
    messages = [prompt(0), last, prompt(100), answer(200, "stop")]
    assert answers_in(messages, messages[0].info.id) == [last]
    assert was_followed(messages, messages[0].info.id, messages[2])
    assert answers_in(messages, messages[2].info.id) == [messages[3]]


@pytest.mark.parametrize("last", GOING_ON.values(), ids=GOING_ON)
def test_a_prompt_that_came_while_a_run_went_on_is_answered_with_it(last: Message) -> None:
    messages = [prompt(0), last, prompt(100), answer(200, "stop")]
    assert answers_in(messages, messages[0].info.id) == [last, messages[3]]
    assert not was_followed(messages, messages[0].info.id, messages[2])


@for_each("last", [*ENDED.values(), *GOING_ON.values()], ids=[*ENDED, *GOING_ON])
def test_a_prompt_long_after_the_last_step_is_no_part_of_the_run(last: Message) -> None:
    messages = [prompt(0), last, prompt(60_000), answer(60_100, "stop")]
    assert answers_in(messages, messages[0].info.id) == [last]
    assert was_followed(messages, messages[0].info.id, messages[2])


@for_each("last", [*ENDED.values(), *GOING_ON.values()], ids=[*ENDED, *GOING_ON])
def test_a_prompt_that_a_bridge_sent_after_a_step_is_no_part_of_the_run(last: Message) -> None:
    messages = [prompt(0), last, prompt(100, PROMPT_MARK), answer(200, "stop")]
    assert answers_in(messages, messages[0].info.id) == [last]
    assert was_followed(messages, messages[0].info.id, messages[2])


@pytest.mark.parametrize("error", [DISMISSED, REFUSED])
def test_a_prompt_that_came_before_a_call_was_rejected_is_answered_with_the_run(error: str) -> None:
    messages = [prompt(0), answer(1, "tool-calls", error), prompt(5), answer(200, "stop")]
    assert answers_in(messages, messages[0].info.id) == [messages[1], messages[3]]


def test_a_conversation_that_is_summed_up_goes_on() -> None:
    summary = answer(30, "stop", summary=True)
    messages = [
        prompt(0),
        answer(1),
        prompt(20, synthetic=True),
        summary,
        prompt(50, synthetic=True),
        answer(60, "stop"),
    ]
    assert answers_in(messages, messages[0].info.id) == [messages[1], summary, messages[5]]


@pytest.mark.parametrize("finish", ["", "tool-calls"])
def test_an_end_that_opencode_recorded_ends_a_run_whatever_its_last_step_says(finish: str) -> None:
    last = answer(1, finish).model_copy()
    last.info = last.info.model_copy(update={"ended": True})
    messages = [prompt(0), last, prompt(20), answer(30, "stop")]
    assert answers_in(messages, messages[0].info.id) == [last]
    assert answers_in([prompt(0), last, answer(30, "stop")], messages[0].info.id) == [last]
    assert was_followed(messages, messages[0].info.id, messages[2])


class WithoutSubagents:
    """Client of an OpenCode that cannot list the subagents of a session."""

    async def session_get(self, session_id: str) -> Session:
        """Return the session."""
        return Session.read({"id": session_id, "title": "Work"})

    async def session_todo(self, _session_id: str) -> list[object]:
        """Return its todos."""
        return []

    async def session_children(self, _session_id: str) -> list[Session]:
        """Fail as OpenCode does if it cannot read one of them."""
        raise BackendFailed("A session could not be read.")


@pytest.mark.anyio
async def test_a_session_is_read_also_if_its_subagents_cannot_be_listed() -> None:
    found = await read_session(cast("OpenCodeClient", WithoutSubagents()), "ses_1")
    assert found == SessionRecord("Work", [], [], are_children_known=False)
