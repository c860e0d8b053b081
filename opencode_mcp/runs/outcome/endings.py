"""Reasons why a run ended before its task was done: a refused call, or a failure and what helps against it. Pure."""

from collections.abc import Mapping
from typing import Literal

from opencode_mcp.opencode.vocabulary.call_subject import call_subject
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.parts import QUESTION_TOOL, ToolPart
from opencode_mcp.opencode.vocabulary.wire.shared_values import Failure
from opencode_mcp.runs.outcome.shortfall_sentences import PERMISSION_REFUSED, QUESTION_DISMISSED
from opencode_mcp.text.outside_text import one_line

REJECTIONS = frozenset(
    {
        "The user rejected permission to use this specific tool call.",
        "The user declined this tool call",
        "The user dismissed this question",
    }
)
"""Texts that OpenCode writes into a rejected call; with an instruction for the model the text goes on, and so does
the run."""
SUBJECT_LIMIT = 80
FailureKind = Literal["credentials", "context", "length", "answer", "request", "model"]
"""Kinds of failures that differ in what helps.

``request``: the provider refuses the request, and will refuse it again. ``model``: every other failure of a model or
its provider.
"""
NO_CREDENTIALS = frozenset({401, 403})
"""Statuses of a provider that does not accept the key."""
REFUSED = range(400, 500)
"""Statuses of a provider that refuses a request."""
PASSING = frozenset({408, 409, 423, 425, 429})
"""Those of them that may be gone at the next attempt: a timeout, a conflict, a limit on the rate."""
KINDS: Mapping[str, FailureKind] = {
    "auth": "credentials",
    "api key": "credentials",
    "contextoverflow": "context",
    "context-overflow": "context",
    "outputlength": "length",
    "structuredoutput": "answer",
}
"""Kinds by a part of the failure's name or text, in lower case."""


def is_rejected(call: ToolPart) -> bool:
    """Return True if a tool call ended since its permission was refused, or its question was dismissed."""
    return call.state.status == "error" and call.state.error.strip() in REJECTIONS


def refusal_of(last: Message) -> str:
    """Return a sentence on the refused call with which the last message of a run ended; empty if there is none."""
    for call in last.tool_calls:
        if is_rejected(call):
            return refusal_text(call.tool, call_subject(call.state.input))
    return ""


def refusal_text(tool: str, subject: str) -> str:
    """Return a sentence that says what was refused, and that the run ended with it."""
    if tool == QUESTION_TOOL:
        return QUESTION_DISMISSED
    call = one_line(f"{tool}: {subject}" if subject else tool, SUBJECT_LIMIT)
    return PERMISSION_REFUSED.format(call)


def failure_kind(failure: Failure) -> FailureKind:
    """Return the kind of a failure, by its name, its status and its text."""
    status = failure.data.get("statusCode")
    if status in NO_CREDENTIALS:
        return "credentials"
    described = f"{failure.name} {failure.text}".lower()
    for part, kind in KINDS.items():
        if part in described:
            return kind
    return "request" if status in REFUSED and status not in PASSING else "model"
