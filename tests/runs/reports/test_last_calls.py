"""Last calls of a stopped run, by its answers."""

from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.runs.reports.last_calls import last_calls


def answer(*calls: tuple[str, str, str]) -> Message:
    """An answer with calls of a tool: its name, its command, and its status."""
    parts = [
        {"type": "tool", "tool": tool, "state": {"status": status, "input": {"command": command}}}
        for tool, command, status in calls
    ]
    return Message.read({"info": {"id": "msg_2", "sessionID": "ses_1", "role": "assistant"}, "parts": parts})


def test_the_calls_of_the_last_step_that_has_some_are_named_with_their_end() -> None:
    answers = [
        answer(("bash", "echo first", "completed")),
        answer(("bash", "touch /p/a", "completed"), ("bash", "make", "error"), ("bash", "ls", "pending")),
        answer(),
    ]
    assert last_calls(answers, "/p") == (
        "Its last calls: bash: touch a (completed), bash: make (stopped or failed), bash: ls (not begun)."
    )


def test_a_run_that_called_nothing_has_no_last_calls() -> None:
    assert last_calls([answer()], "/p") == ""
    assert last_calls([], "/p") == ""
