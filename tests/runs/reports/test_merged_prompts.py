"""Prompts that shared an answer are distinguished from prompts that followed each other."""

from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.runs.reports.merged_prompts import TOGETHER_MS, merged_with
from tests.harness.each import for_each


def prompt(name: str, created: float) -> Message:
    info = {"id": name, "sessionID": "ses_1", "role": "user", "time": {"created": created}}
    return Message.read({"info": info, "parts": [{"type": "text", "text": name}]})


def answer(created: float, completed: float | None, finish: str = "stop") -> Message:
    time = {"created": created, "completed": completed}
    info = {"id": f"msg_{created}", "sessionID": "ses_1", "role": "assistant", "time": time, "finish": finish}
    return Message.read({"info": info, "parts": []})


@for_each(
    ("messages", "others"),
    [
        ([prompt("own", 0), answer(1, 9)], []),
        ([prompt("a", 0), answer(1, 9), prompt("own", 10), answer(11, 20)], []),
        ([prompt("a", 0), prompt("own", 5), answer(6, 9)], ["a"]),
        ([prompt("own", 0), prompt("b", 5), answer(6, 9)], ["b"]),
        ([prompt("a", 0), prompt("own", 1), prompt("b", 2), answer(6, 9)], ["a", "b"]),
        ([prompt("a", 0), answer(1, 9, "tool-calls"), prompt("own", 5), answer(10, 20)], ["a"]),
        ([prompt("a", 0), answer(1, 9, "tool-calls"), prompt("own", 10), answer(11, 20)], []),
        ([prompt("a", 0), prompt("own", TOGETHER_MS), answer(TOGETHER_MS + 1, TOGETHER_MS + 2)], []),
        ([prompt("a", 0), answer(1, None), prompt("own", 5), answer(6, 9)], []),
        ([prompt("a", 0), prompt("b", 1), answer(2, 3)], []),
    ],
    ids=[
        "alone",
        "one after the other",
        "the later of two",
        "the earlier of two",
        "between two",
        "in the middle of a step",
        "after a rejected call",
        "long after one without answer",
        "after a killed one",
        "not among them",
    ],
)
def test_prompts_are_merged_that_came_before_the_other_was_answered(messages: list[Message], others: list[str]) -> None:
    assert merged_with(messages, "own") == others
