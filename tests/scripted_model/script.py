r"""The scripted model's language: what a test writes into a prompt, and what the server reads out of it.

It knows neither HTTP nor OpenCode. A script is a list of steps, one for each answer that the model gives to one prompt;
a step is a list of actions, done in order::

    prompt = script(
        step(reasoning("A file is wanted."), write("hello.txt", "hello\n")),
        step(hold("before the end"), text("Written.")),
        say="Write a greeting",
    )

A step of one action needs no ``step``. Once the script is used up, the model says ``Done.``
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from tests.scripted_model.actions import (
    Action,
    Cut,
    Failure,
    Finish,
    Hold,
    Reasoning,
    Silence,
    Step,
    Text,
    ToolCall,
    Usage,
    decode,
    encode,
)

MARK = "SCRIPT: "
LATER = "LATER: "
"""Begins the line with the steps for the next prompt, if that has no script of its own."""
END = "Done."


class ScriptError(ValueError):
    """The prompt carries a script that cannot be read; the text says why."""


def script(*steps: Action | Step, say: str = "Do as the script says.", later: Sequence[Action | Step] = ()) -> str:
    """Write a prompt: ``say`` for people (titles come from it), then the script in one line.

    Args:
        steps: The script.
        say: Words for people.
        later: The script of the next prompt of the conversation, for one that the test does not write.
    """
    written = f"{say}\n{MARK}{_encoded(steps)}"
    return f"{written}\n{LATER}{_encoded(later)}" if later else written


def _encoded(steps: Sequence[Action | Step]) -> str:
    return json.dumps([[encode(action) for action in _as_step(item)] for item in steps])


def parse(prompt: str, mark: str = MARK) -> Sequence[Step] | None:
    """Read the script in a prompt, or with ``LATER`` that of the next one; None where there is none.

    Raises:
        ScriptError: The line is not JSON, or names an action that there is not.
    """
    line = next((line for line in prompt.splitlines() if line.startswith(mark)), None)
    if line is None:
        return None
    try:
        encoded = cast("list[list[dict[str, Any]]]", json.loads(line.removeprefix(mark)))
        return [tuple(decode(action) for action in actions) for actions in encoded]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ScriptError(f"The script cannot be read ({error!r}): {line[:200]}") from error


def spoken(prompt: str) -> str:
    """Return the text of a prompt without its script."""
    return "\n".join(line for line in prompt.splitlines() if not line.startswith((MARK, LATER))).strip()


def step(*actions: Action) -> Step:
    """Put several actions into one answer of the model."""
    return actions


def text(words: str) -> Text:
    """Say this."""
    return Text(words)


def words(count: int, *, chunk: int = 1, delay: float = 0.0) -> Text:
    """Say ``count`` numbered words in pieces of ``chunk``, with ``delay`` seconds after each piece."""
    return Text(words=count, chunk=chunk, delay=delay)


def reasoning(thought: str) -> Reasoning:
    """Think this."""
    return Reasoning(thought)


def tool(name: str, /, **arguments: object) -> ToolCall:
    """Call any tool with any arguments."""
    return ToolCall(name, arguments)


def bash(command: str) -> ToolCall:
    """Run a shell command."""
    return tool("bash", command=command, description="Run a command")


def write(path: str, content: str) -> ToolCall:
    """Write a file; OpenCode resolves a relative path against the project."""
    return tool("write", filePath=path, content=content)


def edit(path: str, old: str, new: str) -> ToolCall:
    """Replace a text in a file."""
    return tool("edit", filePath=path, oldString=old, newString=new)


def todos(*items: tuple[str, str]) -> ToolCall:
    """Keep a to-do list of (content, status) pairs; the statuses are OpenCode's: pending, in_progress, completed."""
    return tool(
        "todowrite", todos=[{"content": item, "status": status, "priority": "medium"} for item, status in items]
    )


def question(words: str, *labels: str, header: str = "Question", multiple: bool = False) -> ToolCall:
    """Ask the user one question with these options."""
    options = [{"label": label, "description": f"Choose {label}"} for label in labels]
    return questions({"question": words, "header": header, "options": options, "multiple": multiple})


def questions(*items: Mapping[str, object]) -> ToolCall:
    """Ask the user several questions at once, each in OpenCode's own shape."""
    return tool("question", questions=[dict(item) for item in items])


def task(prompt: str, *, agent: str = "general", description: str = "Delegated work") -> ToolCall:
    """Hand a prompt, which may carry a script of its own, to a subagent."""
    return tool("task", prompt=prompt, subagent_type=agent, description=description)


def structured(value: Mapping[str, object]) -> ToolCall:
    """Give the structured answer that a prompt with a JSON schema asks for."""
    return ToolCall("StructuredOutput", value)


def hold(name: str) -> Hold:
    """Wait here until the test releases ``name``."""
    return Hold(name)


def silence(seconds: float) -> Silence:
    """Say nothing for so many seconds."""
    return Silence(seconds)


def failure(
    status: int,
    message: str = "The scripted model fails.",
    *,
    code: str = "",
    headers: Mapping[str, str] | None = None,
    times: int = 0,
) -> Failure:
    """Answer with an HTTP error the first ``times`` times; 0 means always."""
    return Failure(status, message, code, headers or {}, times)


def cut(*, times: int = 0) -> Cut:
    """Drop the connection here, the first ``times`` times; 0 means always."""
    return Cut(times)


def finish(reason: str) -> Finish:
    """End for this reason."""
    return Finish(reason)


def usage(*, input: int, output: int) -> Usage:  # noqa: A002 - the word that OpenCode uses
    """Report these token counts."""
    return Usage(input, output)


def _as_step(item: Action | Step) -> Step:
    return item if isinstance(item, tuple) else (item,)
