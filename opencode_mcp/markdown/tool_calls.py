"""Tool call of a transcript: its arguments, and the end of its output.

Pure. It knows the names of OpenCode's own tools only where they can be shown better than other tools.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from opencode_mcp.errors import BackendFailed
from opencode_mcp.markdown.detail_level import CUT_OFF, TranscriptOptions
from opencode_mcp.markdown.excerpt import code, name
from opencode_mcp.markdown.layout import Block, Excerpt, PlainLine, Section
from opencode_mcp.opencode.vocabulary.wire.parts import SUBAGENT_STOPPED, ToolPart
from opencode_mcp.opencode.vocabulary.wire.session_objects import Todo
from opencode_mcp.runs.outcome.run_report import list_todos
from opencode_mcp.text.json_text import text_or_json
from opencode_mcp.text.outside_text import shorten

ARGUMENT_CHARACTERS = 100
CALL_CHARACTERS = 300
AGENT_ARGUMENTS = ("subagent_type", "agent")
"""Arguments that name the agent of a subagent: OpenCode 1's and OpenCode 2's."""
SHOWN_BELOW = "…"
"""Placeholder in a call for an argument that is shown below it."""


def tool_blocks(part: ToolPart, options: TranscriptOptions, subagent: Sequence[Block] = ()) -> list[Block]:
    """Return the blocks of a tool call.

    Args:
        part: The call.
        options: Amount of detail.
        subagent: Blocks of the subagent that it started, if they are shown.
    """
    if subagent:
        return _delegated(part, options, subagent)
    beneath = _long_arguments(part, options)
    call = f"- {_call(part, options, beneath)}{_changed_lines(part)}{_exit_code(part)}"
    if not beneath:
        return [_result(part, options, call), *_attachments(part)]
    arguments = [Excerpt(text, options.measure.argument, f"{name(key)}:") for key, text in beneath.items()]
    return [PlainLine(call), *arguments, _result(part, options, ""), *_attachments(part)]


def _delegated(part: ToolPart, options: TranscriptOptions, subagent: Sequence[Block]) -> list[Block]:
    agent = next((str(part.state.input[key]) for key in AGENT_ARGUMENTS if part.state.input.get(key)), "")
    who = " ".join(filter(None, ["subagent", name(agent) if agent else ""]))
    title = f"- {_call(part, options, {'prompt': ''})} → {who}, session {name(part.child_session)}:"
    quoted = Section(title, subagent, noun="messages of the subagent", quoted=True)
    return [quoted, *([_bad_end(part, options)] if part.state.status == "error" else [])]


def _bad_end(part: ToolPart, options: TranscriptOptions) -> Block:
    """Return the line on the bad end of a subagent whose messages are shown."""
    if part.state.error.strip() == SUBAGENT_STOPPED:
        return PlainLine("- the subagent was stopped")
    return _result(part, options, "- the subagent")


def _call(part: ToolPart, options: TranscriptOptions, beneath: Mapping[str, str]) -> str:
    if _todos(part):
        return code(part.tool)
    arguments: list[str] = []
    for key, value in part.state.input.items():
        shown = SHOWN_BELOW if key in beneath else shorten(_inline(value, options), ARGUMENT_CHARACTERS)
        arguments.append(f"{key}={shown}")
    return code(f"{part.tool}({', '.join(arguments)})", CALL_CHARACTERS)


def _inline(value: object, options: TranscriptOptions) -> str:
    return options.relative(json.dumps(value, ensure_ascii=False, default=str))


def _long_arguments(part: ToolPart, options: TranscriptOptions) -> dict[str, str]:
    """Return the arguments that are too long for the line of the call and are shown below it."""
    if not options.measure.argument or _todos(part):
        return {}
    given = part.state.input
    long = {
        key: text_or_json(value) for key, value in given.items() if len(_inline(value, options)) > ARGUMENT_CHARACTERS
    }
    return long | {key: text_or_json(value) for key, value in given.items() if _has_lines(value)}


def _has_lines(value: object) -> bool:
    return isinstance(value, str) and "\n" in value


def _result(part: ToolPart, options: TranscriptOptions, call: str) -> Block:
    state = part.state
    if todos := _todos(part):
        return Excerpt(todos, options.measure.text, f"{call} →".strip())
    match state.status:
        case "completed" if state.output.strip():
            return Excerpt(state.output, options.measure.output, f"{call} →".strip(), from_end=True)
        case "completed":
            return PlainLine(f"{call} → no output".strip())
        case "error":
            return Excerpt(state.error or "no reason given", options.measure.output, f"{call} failed →".strip())
        case _:
            unfinished = "was cut off" if state.status == CUT_OFF else f"is {name(state.status)}"
            return PlainLine(f"{call} {unfinished}{_where(part)}".strip())


def _where(part: ToolPart) -> str:
    return f" in session {name(part.child_session)}" if part.child_session else ""


def _todos(part: ToolPart) -> str:
    """Return the todo list that a call wrote; empty for other calls."""
    if part.tool != "todowrite" or part.state.status != "completed":
        return ""
    try:
        return "\n".join(list_todos(Todo.read_list(part.state.input.get("todos"))))
    except BackendFailed:
        return ""


def _changed_lines(part: ToolPart) -> str:
    difference = part.state.metadata.get("filediff")
    if not isinstance(difference, Mapping):
        return ""
    counts = cast("Mapping[str, Any]", difference)
    return f" +{_count(counts, 'additions')} -{_count(counts, 'deletions')}"


def _exit_code(part: ToolPart) -> str:
    value = part.state.metadata.get("exit")
    return f" exit code {value}" if isinstance(value, int) and value else ""


def _count(counts: Mapping[str, Any], key: str) -> int:
    value = counts.get(key)
    return value if isinstance(value, int) else 0


def _attachments(part: ToolPart) -> list[Block]:
    kinds = [str(item.get("mime") or "a file") for item in part.state.attachments]
    return [PlainLine(f"- gave the model {name(kind)}") for kind in kinds]
