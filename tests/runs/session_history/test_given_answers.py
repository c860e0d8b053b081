"""Answers to permissions on record: what is kept, what is reported, and the time that they took."""

from dataclasses import replace
from typing import Any

from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.prompting.message_ids import message_id
from opencode_mcp.runs.session_history.answer_times import recorded_seconds
from opencode_mcp.runs.session_history.given_answers import ANSWERS_KEPT, GivenAnswer, answers_in, metadata_with

NOW = 1_700_000_000_000


def given(name: str, asked: float = 0, answered: float = 4000, **more: str) -> GivenAnswer:
    facts: dict[str, Any] = {"call_id": f"call_{name}", "prompt_id": "msg_1", "reply": "once", "by": "person", **more}
    return GivenAnswer(f"per_{name}", asked=NOW + asked, answered=NOW + answered, **facts)


def session(metadata: dict[str, object], name: str = "ses_1") -> Session:
    return Session.read({"id": name, "metadata": metadata})


def test_answers_are_kept_beside_what_the_session_carries_and_not_copied_by_a_fork() -> None:
    metadata = metadata_with(session({"mine": 1}), given("a"))
    metadata = metadata_with(session(metadata), given("b", by="agent"))
    assert metadata["mine"] == 1
    assert answers_in(session(metadata)) == [given("a"), given("b", by="agent")]
    assert answers_in(session(metadata, "ses_fork")) == []
    assert answers_in(session({})) == []


def test_an_answer_replaces_what_was_received_of_it_and_the_latest_are_kept() -> None:
    metadata = metadata_with(session({}), given("a", by=""))
    metadata = metadata_with(session(metadata), given("a"))
    assert answers_in(session(metadata)) == [given("a")]
    for number in range(ANSWERS_KEPT + 5):
        metadata = metadata_with(session(metadata), given(str(number)))
    assert [answer.request_id for answer in answers_in(session(metadata))][0 :: ANSWERS_KEPT - 1] == ["per_5", "per_54"]


def test_a_note_of_another_form_is_read_as_far_as_it_goes() -> None:
    for note in ("text", {"session": "ses_1", "answers": "none"}, {"session": "ses_1", "answers": [3]}):
        assert answers_in(session({"opencode-mcp-answers": note})) == []
    found = answers_in(session({"opencode-mcp-answers": {"session": "ses_1", "answers": [{"reply": "**bold**"}]}}))
    assert [answer.text for answer in found] == ["answered in another program"]


def test_the_answer_and_its_giver_are_reported() -> None:
    answers = [
        given("a"),
        given("b", reply="reject", by="agent"),
        given("c", reply="always", by=""),
    ]
    assert [answer.text for answer in answers] == [
        "allowed once by a person after 4 s",
        "refused by the agent that calls this MCP server after 4 s",
        "allowed always in another program after 4 s",
    ]


def test_the_reason_of_a_refusal_is_kept() -> None:
    refused = given("a", reply="reject", reason="Use pnpm.")
    assert answers_in(session(metadata_with(session({}), refused))) == [refused]
    long = given("b", reply="reject", reason="x" * 5000)
    assert [len(one.reason) for one in answers_in(session(metadata_with(session({}), long)))] == [300]


def test_a_refusal_that_ended_a_run_is_kept_with_what_was_refused() -> None:
    refused = replace(given("a", reply="reject"), permission="bash", patterns=("x" * 5000, *"abc"), ends_run=True)
    [kept] = answers_in(session(metadata_with(session({}), refused)))
    assert (kept.permission, kept.ends_run) == ("bash", True)
    assert [len(pattern) for pattern in kept.patterns] == [200, 1, 1]


def asked(start: float, end: float | None) -> Message:
    state: dict[str, Any] = {"status": "running", "time": {"start": NOW + start, "end": end and NOW + end}}
    call = {"type": "tool", "tool": "question", "state": state}
    return Message.read({"info": {"id": "msg_2", "sessionID": "ses_1", "role": "assistant"}, "parts": [call]})


def test_the_time_of_waiting_counts_each_moment_once() -> None:
    def waited(*answers: GivenAnswer, questions: tuple[Message, ...] = (), pending: tuple[str, ...] = ()) -> float:
        return recorded_seconds(questions, answers, "msg_1", pending, NOW + 20_000)

    assert waited() == 0
    assert waited(given("a"), given("other", prompt_id="msg_0")) == 4
    assert waited(given("a"), given("b", 3000, 6000), given("c", 1000, 2000)) == 6
    assert waited(given("a"), questions=(asked(2000, 5000), asked(18_000, None))) == 7
    request = message_id(NOW + 15_000, 0, bytes(14)).replace("msg_", "per_")
    assert waited(pending=(request,)) == 5
    assert waited(pending=("que_odd",)) == 0
