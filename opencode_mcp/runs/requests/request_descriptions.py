"""Descriptions of what OpenCode asks, in a form that a person or an agent can decide on.

Pure.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from opencode_mcp.opencode.vocabulary.answer_parser import conditions, takes
from opencode_mcp.opencode.vocabulary.wire.parts import ToolPart
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import Choice, Permission, Question, QuestionItem
from opencode_mcp.runs.outcome.run_report import PendingRequest
from opencode_mcp.runs.requests.call_input import input_text

SHOWN_METADATA = ("command", "filepath", "diff", "url", "description")
DIFF_LIMIT = 4000
DETAILS: Mapping[str, bool] = dict.fromkeys(
    (
        *("format", "pattern", "placeholder", "min_length", "max_length", "minimum", "maximum", "min_items"),
        *("max_items", "default", "url", "required"),
    ),
    True,
)
"""Fields of a question that are described only if they are set."""

OpenRequest = Permission | Question


def describe(request: OpenRequest, call: ToolPart | None = None, *, subagent: bool) -> PendingRequest:
    """Describe what is asked.

    Args:
        request: What OpenCode asks.
        call: The tool call that asks it, where there is one.
        subagent: Whether a subagent asks.
    """
    if isinstance(request, Question):
        preface = [text for text in (request.title, request.message) if text]
        return PendingRequest(
            request_id=request.id,
            kind="question",
            session_id=request.session_id,
            subagent=subagent,
            of_client=request.of_client,
            asks="\n".join([*preface, *filter(None, (item.question for item in request.asked))]),
            preface=preface,
            questions=[_plain(item, request.questions) for item in request.asked],
        )
    return PendingRequest(
        request_id=request.id,
        kind="permission",
        session_id=request.session_id,
        subagent=subagent,
        of_client=request.of_client,
        asks=_permission_text(request, call),
        permission=request.permission,
        patterns=request.patterns,
        always=request.always,
        always_lasts=request.always_lasts,
    )


def _plain(item: QuestionItem, items: Sequence[QuestionItem]) -> dict[str, Any]:
    options = [_plain_option(option) for option in item.options]
    kept: dict[str, Any] = {"question": item.question, "options": options, "multiple": item.multiple}
    kept |= {"header": item.header} if item.header else {}
    kept |= {"own_words": item.custom and item.kind in {"choice", "text"}}
    if item.kind != "choice":
        kept |= {"type": item.kind, "takes": takes(item)}
    kept |= item.model_dump(include=DETAILS, exclude_defaults=True)
    return kept | ({"asked_if": conditions(item, items)} if item.when else {})


def _plain_option(option: Choice) -> dict[str, str]:
    plain = {"label": option.label, "description": option.description}
    return plain if option.answer == option.label else plain | {"value": option.value}


def question_item(plain: Mapping[str, Any]) -> QuestionItem:
    """Return the question that ``describe`` has described, without its conditions."""
    return QuestionItem.model_validate({**plain, "custom": plain["own_words"], "kind": plain.get("type", "choice")})


def _permission_text(permission: Permission, call: ToolPart | None) -> str:
    asked = f"{permission.permission}: {', '.join(permission.patterns)}"
    # Most kinds stand for several tools: one that reads a file elsewhere asks for the same as one that writes it.
    tool = f"tool: {call.tool}" if call and call.tool != permission.permission else ""
    text = "\n".join(filter(None, [asked, permission.message, tool, *_metadata_lines(permission, asked)]))
    # A diff shows what the call of an edit holds.
    given = input_text(call, text) if call and not permission.metadata.get("diff") else ""
    return f"{text}\n{given}" if given else text


def _metadata_lines(permission: Permission, asked: str) -> list[str]:
    """Return a line for each detail of a permission that the sentence on what is asked does not contain."""
    lines: list[str] = []
    for name in SHOWN_METADATA:
        text = str(permission.metadata.get(name) or "")
        if text and text not in asked:
            lines.append(_shown(name, text.strip()))
    return lines


def _shown(name: str, text: str) -> str:
    cut = text if len(text) <= DIFF_LIMIT else text[:DIFF_LIMIT] + "\n… (cut)"
    return f"{name}:\n{cut}" if "\n" in cut else f"{name}: {cut}"
