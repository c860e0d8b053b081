"""Scripts run on both generations of OpenCode, whose tools have other names."""

from tests.scripted_model.actions import Text, ToolCall
from tests.scripted_model.script import bash, edit, question, structured, task, write
from tests.scripted_model.spelling import Offered, offered_tools, respelled


def offer(**tools: tuple[str, ...]) -> Offered:
    return offered_tools(
        [
            {"function": {"name": name, "parameters": {"properties": {key: {} for key in arguments}}}}
            for name, arguments in tools.items()
        ]
    )


SHARED = {"question": ("questions",)}
OPENCODE_1 = offer(
    **SHARED,
    bash=("command", "description"),
    edit=("filePath", "oldString", "newString"),
    write=("filePath", "content"),
    task=("prompt", "subagent_type", "description"),
    StructuredOutput=("a",),
)
OPENCODE_2 = offer(  # noqa: S604 - a tool's name
    **SHARED,
    shell=("command", "description"),
    edit=("path", "oldString", "newString"),
    write=("path", "content"),
    subagent=("prompt", "agent", "description"),
)
STEP = (bash("ls"), edit("a", "b", "c"), write("a", "b"), task("go"), question("Which?", "Red"), structured({"a": 1}))


def test_a_script_stays_as_it_is_for_opencode_1() -> None:
    assert respelled(STEP, OPENCODE_1) == STEP


def test_tools_and_arguments_are_named_as_opencode_2_names_them() -> None:
    shell, changed, written, delegated, asked, answer = respelled(STEP, OPENCODE_2)
    assert shell == ToolCall("shell", {"command": "ls", "description": "Run a command"})
    assert changed == ToolCall("edit", {"path": "a", "oldString": "b", "newString": "c"})
    assert written == ToolCall("write", {"path": "a", "content": "b"})
    assert delegated == ToolCall("subagent", {"prompt": "go", "agent": "general", "description": "Delegated work"})
    assert asked == STEP[4]
    assert answer == Text('{"a": 1}')


def test_a_tool_that_nobody_offers_is_called_all_the_same() -> None:
    assert respelled((ToolCall("nosuch", {"filePath": "a"}),), OPENCODE_2) == (ToolCall("nosuch", {"filePath": "a"}),)
