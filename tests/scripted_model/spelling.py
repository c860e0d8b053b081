"""Tool calls in the spelling of the OpenCode that asks: a script names tools as OpenCode 1 does, and runs on both.

Pure. What a request offers decides: the names of its tools, and the names of their arguments.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.scripted_model.actions import Action, Step, Text, ToolCall

TOOLS = {"bash": "shell", "task": "subagent"}
"""Tools by their names in OpenCode 1, with their names in OpenCode 2."""
ARGUMENTS = {"filePath": "path", "subagent_type": "agent"}
"""Arguments by their names in OpenCode 1, with their names in OpenCode 2."""
STRUCTURED = "StructuredOutput"
"""Tool of OpenCode 1 that takes the structured answer; OpenCode 2 has none, so a model writes the JSON."""

Offered = Mapping[str, Sequence[str]]
"""Names of the offered tools, each with the names of its arguments."""


def offered_tools(tools: Sequence[Mapping[str, Any]]) -> Offered:
    """Return what a chat-completion request offers."""
    offered: dict[str, list[str]] = {}
    for tool in tools:
        function: dict[str, Any] = tool["function"]
        parameters: dict[str, Any] = function.get("parameters") or {}
        offered[function["name"]] = list(parameters.get("properties") or ())
    return offered


def respelled(step: Step, offered: Offered) -> Step:
    """Return a step whose calls name the tools and arguments as they are offered."""
    return tuple(_respelled(action, offered) for action in step)


def _respelled(action: Action, offered: Offered) -> Action:
    if not isinstance(action, ToolCall) or not offered:
        return action
    if action.name == STRUCTURED and STRUCTURED not in offered:
        return Text(json.dumps(action.arguments))
    other = TOOLS.get(action.name, action.name)
    name = other if action.name not in offered and other in offered else action.name
    takes = offered.get(name, ())
    return ToolCall(name, {_argument(key, takes): value for key, value in action.arguments.items()})


def _argument(name: str, takes: Sequence[str]) -> str:
    other = ARGUMENTS.get(name, name)
    return other if name not in takes and other in takes else name
