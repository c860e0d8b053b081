"""The last command of a run, if it failed."""

from opencode_mcp.opencode.vocabulary.wire.message import Message, MessageInfo
from opencode_mcp.opencode.vocabulary.wire.parts import ToolPart
from opencode_mcp.runs.outcome.failed_command import failed_command
from tests.harness.each import for_each


def call(tool: str, command: str, **metadata: object) -> ToolPart:
    state = {"status": "completed", "input": {"command": command}, "metadata": metadata}
    return ToolPart.model_validate({"type": "tool", "tool": tool, "state": state})


@for_each(
    ("calls", "expected"),
    [
        ([], ""),
        ([call("bash", "make", exit=2)], "make (exit code 2)"),
        ([call("shell", "a\nb", exit=1)], "a b (exit code 1)"),
        ([call("bash", "make", exit=2), call("bash", "make", exit=0)], ""),
        ([call("bash", "make", exit=2), call("edit", "x")], "make (exit code 2)"),
        ([call("bash", "make")], ""),
        ([call("webfetch", "make", exit=2)], ""),
    ],
)
def test_only_the_last_command_counts(calls: list[ToolPart], expected: str) -> None:
    info = MessageInfo(id="msg_1", session_id="ses_1", role="assistant")
    assert failed_command([Message(info=info, parts=[one]) for one in calls]) == expected
