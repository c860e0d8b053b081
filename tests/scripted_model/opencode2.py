"""The tools of OpenCode 2 as actions of a script; what both generations have is in ``script``."""

from collections.abc import Mapping

from tests.scripted_model.actions import ToolCall
from tests.scripted_model.script import tool


def shell(command: str) -> ToolCall:
    """Run a shell command."""
    return tool("shell", command=command, description="Run a command")


def write(path: str, content: str) -> ToolCall:
    """Write a file; OpenCode resolves a relative path against the project."""
    return tool("write", path=path, content=content)


def edit(path: str, old: str, new: str) -> ToolCall:
    """Replace a text in a file."""
    return tool("edit", path=path, oldString=old, newString=new)


def question(words: str, *labels: str, header: str = "Question", multiple: bool = False) -> ToolCall:
    """Ask the user one question with these options."""
    options = [{"label": label, "description": f"Choose {label}"} for label in labels]
    return questions({"question": words, "header": header, "options": options, "multiple": multiple})


def questions(*items: Mapping[str, object]) -> ToolCall:
    """Ask the user several questions at once, each in OpenCode's own shape."""
    return tool("question", questions=[dict(item) for item in items])


def subagent(prompt: str, *, agent: str = "general", description: str = "Delegated work") -> ToolCall:
    """Hand a prompt, which may carry a script of its own, to a subagent."""
    return tool("subagent", agent=agent, description=description, prompt=prompt)
