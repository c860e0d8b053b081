"""Conversation in a request to the model: the latest prompt, the step of its script, and the answer to give.

Pure: chat-completion JSON in, a step of the script out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from tests.scripted_model.actions import Step, Text
from tests.scripted_model.script import END, LATER, parse, spoken
from tests.scripted_model.spelling import Offered, offered_tools, respelled

ATTACHED = "Attached media from tool result:"
"""Beginning of a message that OpenCode writes in the user's name, to pass on an image that a tool read."""
KEPT = 20_000
"""Characters of each text that a record of a request keeps."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to the model, reduced to what the answer depends on and what tests look at."""

    kind: Literal["chat", "title"]
    session: str
    model: str
    effort: str
    """Reasoning effort; OpenCode's variants set it."""
    system: str
    prompt: str
    before: str
    """The prompt before that one."""
    turn: int
    """Number of prompts in the conversation, this one included."""
    step: int
    """Number of answers that the model has given to this prompt already."""
    results: Sequence[str]
    """Results of the tools that were called since the prompt."""
    tools: Sequence[str]
    arguments: Offered
    """Arguments of each of these tools."""


def read(body: dict[str, Any], session: str) -> Asked:
    """Make sense of a chat-completion request."""
    messages = cast("list[dict[str, Any]]", body["messages"])
    system = "\n".join(_texts(messages, "system"))
    prompts = [place for place, message in enumerate(messages) if _is_prompt(message)]
    since = messages[prompts[-1] :]
    offered = offered_tools(body.get("tools") or [])
    return Asked(
        kind="title" if "title generator" in system else "chat",
        session=session,
        model=str(body["model"]),
        effort=str(body.get("reasoning_effort", "")),
        system=system[:KEPT],
        prompt=_text(since[0]),
        before=_text(messages[prompts[-2]]) if len(prompts) > 1 else "",
        turn=len(prompts),
        step=len(_texts(since, "assistant")),
        results=[result[:KEPT] for result in _texts(since, "tool")],
        tools=list(offered),
        arguments=offered,
    )


def answer(asked: Asked) -> Step:
    """Choose the step that comes next.

    Raises:
        ScriptError: The prompt carries a script that cannot be read.
    """
    words = spoken(asked.prompt)
    if asked.kind == "title":
        return (Text(words.splitlines()[0][:60] if words else "Scripted session"),)
    steps = parse(asked.prompt) or parse(asked.before, LATER)
    if steps is None:
        return (Text(f"You said: {words[:KEPT]}"),)
    return respelled(steps[asked.step], asked.arguments) if asked.step < len(steps) else (Text(END),)


def _is_prompt(message: dict[str, Any]) -> bool:
    return message["role"] == "user" and not _text(message).startswith(ATTACHED)


def _texts(messages: Sequence[dict[str, Any]], role: str) -> list[str]:
    """Return the texts of the messages of one role."""
    return [_text(message) for message in messages if message["role"] == role]


def _text(message: dict[str, Any]) -> str:
    content: object = message.get("content")
    if not isinstance(content, list):
        return str(content or "")
    parts = cast("list[dict[str, Any]]", content)
    return "\n".join(str(part["text"]) for part in parts if part["type"] == "text")
