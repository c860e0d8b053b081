"""Files that the messages of a session show as changed, and their lines."""

from typing import Any

from opencode_mcp.diffs.authorship import Period, WriteCall
from opencode_mcp.diffs.session_files import SessionFile, session_files
from opencode_mcp.opencode.vocabulary.wire.message import Message, MessageInfo
from opencode_mcp.opencode.vocabulary.wire.parts import Part, PatchPart, ToolPart


def call(tool: str, arguments: dict[str, Any], output: str = "", **metadata: object) -> ToolPart:
    state = {"status": "completed", "input": arguments, "metadata": metadata, "output": output}
    return ToolPart.model_validate({"type": "tool", "tool": tool, "state": state})


def step(*parts: Part) -> Message:
    return Message(info=MessageInfo(id="msg_1", session_id="ses_1", role="assistant"), parts=list(parts))


def differed(*files: str) -> PatchPart:
    return PatchPart(type="patch", files=list(files))


def found(*messages: Message) -> list[SessionFile]:
    return session_files(messages, "/p")


def test_the_lines_of_the_edits_of_a_file_are_added_up() -> None:
    first = step(call("edit", {"filePath": "a.txt"}, filediff={"additions": 2, "deletions": 1}))
    second = step(call("edit", {"path": "/p/a.txt"}, filediff={"additions": 3, "deletions": 0}))
    assert found(first, second) == [SessionFile("/p/a.txt", (5, 1), is_certain=True)]


def test_a_new_file_has_the_lines_of_its_content_in_both_generations() -> None:
    of_1 = step(call("write", {"filePath": "one.txt", "content": "a\nb\n"}, exists=False))
    of_2 = step(call("write", {"path": "two.txt", "content": "a"}, "Created file successfully: two.txt"))
    assert [(file.path, file.lines) for file in found(of_1, of_2)] == [("/p/one.txt", (2, 0)), ("/p/two.txt", (1, 0))]


def test_no_numbers_are_shown_if_one_call_has_none() -> None:
    made = step(call("write", {"filePath": "a.txt", "content": "a\n"}, exists=False))
    overwritten = step(call("write", {"filePath": "a.txt", "content": "b\n"}, exists=True))
    assert found(made, overwritten) == [SessionFile("/p/a.txt", None, is_certain=True)]


def test_each_file_of_a_patch_has_its_own_lines() -> None:
    files = [
        {"filePath": "/p/a.txt", "additions": 1, "deletions": 2},
        {"filePath": "/p/b.txt", "additions": 3, "deletions": 4},
    ]
    patch = step(call("apply_patch", {"patchText": ""}, files=files))
    assert [(file.path, file.lines) for file in found(patch)] == [("/p/a.txt", (1, 2)), ("/p/b.txt", (3, 4))]


def test_what_differed_after_a_command_or_a_subagent_is_not_certain() -> None:
    command = step(call("bash", {"command": "make"}), differed("/p/made.txt", "/p/a.txt"))
    edit = step(call("edit", {"filePath": "a.txt"}), differed("a.txt", "/p/by-another-session.txt"))
    delegated = step(call("task", {"prompt": "Do it"}, sessionId="ses_2"), differed("/p/by-subagent.txt"))
    read = step(call("bash", {"command": "ls"}), differed("/p/by-hand.txt"))
    certain = {file.path: file.is_certain for file in found(command, edit, delegated, read)}
    assert certain == {"/p/a.txt": True, "/p/by-subagent.txt": False, "/p/made.txt": False}


def test_a_file_that_others_changed_each_time_that_it_differed_is_theirs() -> None:
    first, second = (
        Message(
            info=MessageInfo.model_validate(
                {"id": "msg_1", "sessionID": "ses_1", "role": "assistant", "time": {"created": at, "completed": at + 9}}
            ),
            parts=[call("bash", {"command": "make"}), differed("/p/b.txt")],
        )
        for at in (10, 30)
    )
    brought = [brought_at(12), brought_at(35)]
    [once], [twice] = found(first), found(first, second)
    assert [once.is_of(brought[:1]), once.is_of(brought[1:]), once.is_of([])] == [True, False, False]
    assert [twice.is_of(brought[:1]), twice.is_of(brought)] == [False, True]


def brought_at(begin: float) -> WriteCall:
    """Return isolated work of another session that was brought back."""
    return WriteCall("ses_2", "Other", Period(begin, begin + 1), frozenset({"/p/b.txt"}), is_open=False)
