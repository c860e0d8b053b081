"""The assistant's messages of one run become one answer."""

from typing import Any

import pytest

from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.session_objects import Todo
from opencode_mcp.runs.outcome.answer_summary import summarise, visible_text
from opencode_mcp.runs.outcome.reported_files import list_files
from opencode_mcp.runs.outcome.run_report import Usage, list_todos


def text(words: str, **more: object) -> dict[str, object]:
    return {"type": "text", "text": words, **more}


def message(*parts: dict[str, object], **info: Any) -> Message:  # noqa: ANN401 - whatever OpenCode may send
    base = {"id": "msg_2", "sessionID": "ses_1", "role": "assistant", "time": {"created": 1000, "completed": 2000}}
    return Message.read({"info": base | info, "parts": list(parts)})


def step(*parts: dict[str, object], **info: Any) -> Message:  # noqa: ANN401 - as above
    """An answer that cost something."""
    costs = {"cost": 0.1, "tokens": {"input": 100, "output": 20, "reasoning": 5}}
    return message(*parts, **costs, **info)


def test_tokens_and_cost_are_those_of_all_steps() -> None:
    answer = summarise([step(), step(), step()])
    assert answer.tokens == Usage(input=300, output=60, reasoning=15)
    assert answer.cost == 0.3


def test_the_text_is_the_last_that_was_said() -> None:
    assert summarise([step(text("I look.")), step(text("I found it.")), step()]).text == "I found it."


def test_the_error_the_model_and_the_structured_answer_are_those_of_the_last_step() -> None:
    failure = {"name": "APIError", "data": {"message": "No"}}
    first = step(error=failure, providerID="a", modelID="b", agent="plan", structured={"x": 0})
    last = step(providerID="a", modelID="c", agent="build", structured={"x": 1})
    answer = summarise([first, last])
    assert (answer.error, answer.model, answer.agent, answer.output) == ("", "a/c", "build", {"x": 1})
    assert summarise([last, first]).error == "No"


def test_the_time_is_from_the_first_steps_beginning_to_the_last_ones_end() -> None:
    first = message(time={"created": 1000, "completed": 1500})
    last = message(time={"created": 2000, "completed": 4250})
    assert summarise([first, last]).seconds == 3.25
    assert summarise([first, message(time={"created": 2000})]).seconds == 1.0


def test_without_answers_everything_is_empty() -> None:
    answer = summarise([])
    assert (answer.text, answer.output, answer.error, answer.cost, answer.seconds) == ("", None, "", 0, 0)
    assert answer.ended == 0


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([text(" One. "), text("Two.\n")], "One.\n\nTwo."),
        ([text("Seen."), text("For the model.", synthetic=True)], "Seen."),
        ([text("Seen."), text("Undone.", ignored=True)], "Seen."),
        ([{"type": "reasoning", "text": "Hm."}, text("Seen.")], "Seen."),
        ([text("  ")], ""),
    ],
)
def test_a_message_says_what_a_person_would_read(parts: list[dict[str, object]], said: str) -> None:
    assert visible_text(message(*parts)) == said


def test_files_are_named_from_the_project_on() -> None:
    diffs = [
        FileDiff(file="src/a.py", additions=3, deletions=1),
        FileDiff(file="/p/b.py", status="added"),
        FileDiff(file="/project/c.py", status="deleted"),
    ]
    listed = list_files(diffs, "/p/")
    assert [item.path for item in listed] == ["src/a.py", "b.py", "/project/c.py"]
    assert (listed[0].change, listed[0].added, listed[0].removed) == ("modified", 3, 1)


def test_todos_are_short_lines() -> None:
    statuses = ["completed", "in_progress", "cancelled", "pending", "something-new"]
    lines = list_todos([Todo(content=status, status=status) for status in statuses])
    assert lines == ["[x] completed", "[>] in_progress", "[-] cancelled", "[ ] pending", "[ ] something-new"]


@pytest.mark.parametrize(
    "answer",
    [
        step(text("Whole."), finish="stop"),
        step({"type": "tool", "tool": "question", "state": {"status": "error"}}, finish="tool-calls"),
        step(structured={"x": 1}, finish="tool-calls"),
        step(error={"name": "APIError", "data": {"message": "No"}}),
    ],
    ids=["words", "rejected question", "structured", "error"],
)
def test_a_whole_answer_an_act_and_an_error_lack_nothing(answer: Message) -> None:
    assert summarise([answer]).shortfall == ""
