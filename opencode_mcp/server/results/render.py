"""Turn results and errors into text that a model can act on. Every result and error passes this module.

The rules: one fact per line, no empty facts, OpenCode's own text under a heading that names its source, and at the end
the next step of the caller. Text of a model or a file is data: it must not look like instructions to the host.
"""

import re
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, cast

from mcp_types import CallToolResult, ContentBlock, TextContent

from opencode_mcp.errors import (
    BackendError,
    BackendFailed,
    BackendTimeout,
    BackendUnavailable,
    BridgeError,
    CallerError,
    GitFailed,
    InvalidArgument,
    NotAllowed,
    NotFound,
    OperatorError,
    SessionBusy,
    UnsupportedOperation,
)
from opencode_mcp.markdown import excerpt
from opencode_mcp.server.instructions import TOOL_NAME
from opencode_mcp.server.results.host_settings import UNKNOWN_OWNER, SettingsOwner
from opencode_mcp.server.results.refusal_text import steps_after_refusal
from opencode_mcp.server.results.safe_text import shown, shown_data, valid_data
from opencode_mcp.server.results.size_limit import cut_text, fit
from opencode_mcp.text.json_text import json_size
from opencode_mcp.text.outside_text import indented, valid_unicode

SENTENCE_END = re.compile(r"(?<=\.) ")
TEXT_CHARACTERS = 20_000
"""Limit of a text in a result, in characters."""
TEXT_BYTES = 25_000
"""Limit of the same text as JSON, in bytes: less than half of a result."""
NOTHING_STARTED = "Nothing was started."
"""Sentence of every error of a call that was to start work, so that nobody looks for a run."""
ERROR_BYTES = 4000
"""Limit of an error, in bytes. It may quote a page that a model's provider sent."""

NEXT_STEPS: Mapping[type[BridgeError], str] = {
    InvalidArgument: "Correct the argument and call again.",
    NotFound: "Name one that exists and call again.",
    SessionBusy: "Wait for it with opencode_wait, which also shows what it asks, if it waits for an answer, and how to "
    "answer. Or leave session_id out for a new session. opencode_abort stops it.",
    NotAllowed: "Only the person who configured this MCP server can allow it.",
    CallerError: "Change the call and try again.",
    OperatorError: "Ask the person to correct the settings of this MCP server; `opencode-mcp doctor` checks them.",
    BackendUnavailable: "Call again: that searches for OpenCode again. opencode_status shows what can be reached.",
    BackendTimeout: "Call again in a moment. opencode_status shows if OpenCode answers.",
    UnsupportedOperation: "opencode_status shows the version of OpenCode.",
    BackendFailed: "OpenCode itself failed; its log may say why. Call again; if it fails again, tell the person.",
    BackendError: "Call again in a moment.",
    GitFailed: "The files of the project are as they were. Correct what git names, then call again.",
}


def explain(error: BridgeError, unlisted_tools: Collection[str] = (), owner: SettingsOwner = UNKNOWN_OWNER) -> str:
    """Return an error as text for a model: what was wrong, what would be right, what to do next, what to know before.

    It may quote text of others, so all lines but the first are indented.

    Args:
        error: The error.
        unlisted_tools: Tools that are not listed; sentences of the hint that name one are left out.
        owner: Those whose settings hold for the call, to say where they are.
    """
    problem = cut_text(error.message, ERROR_BYTES)
    started = f" {NOTHING_STARTED}" if error.started is False else ""
    if isinstance(error, NotAllowed) and error.change:
        steps = steps_after_refusal(error, error.change, owner, partial(without_tools, names=unlisted_tools))
        return "\n\n".join(indented(shown(cut_text(text, ERROR_BYTES))) for text in (problem + started, *steps))
    usual = next(NEXT_STEPS[kind] for kind in type(error).__mro__ if kind in NEXT_STEPS)
    step = without_tools(error.hint or usual, unlisted_tools)
    return indented(shown(f"{problem} {cut_text(step, ERROR_BYTES)}{started}"))


def result(
    text: str,
    data: Mapping[str, Any] | None = None,
    more: ContentBlock | None = None,
    *,
    verbatim: bool = False,
    is_shown: bool = False,
) -> CallToolResult:
    """Return a tool's result, cut to the limit of ``size_limit.py``.

    Args:
        text: Text for the model.
        data: The same as structured content; several hosts show a model only this, if it exists.
        more: An image, or a link to the complete content.
        verbatim: Whether it is content of files, which must not be changed, not even to hide secrets.
        is_shown: Whether the text was made by ``shown_sections``, section by section.
    """
    safe = valid_data if verbatim else shown_data
    structured = cast("dict[str, Any]", safe(data)) if data is not None else None
    fitted_text, fitted = fit(valid_unicode(text) if verbatim or is_shown else shown(text), structured)
    content: list[ContentBlock] = [TextContent(type="text", text=fitted_text), *([more] if more else [])]
    return CallToolResult(content=content, structured_content=fitted)


def cut(text: str, limit: int = TEXT_CHARACTERS, rest: str = "") -> str:
    """Cut a text to a limit, close a fence that this opens, and say how long it was and how to read the rest."""
    beginning = beginning_of(text, limit)
    if beginning == text:
        return text
    lines = [beginning.removesuffix("\n"), excerpt.open_fence(beginning), f"… ({part_note(beginning, text, rest)})"]
    return "\n".join(line for line in lines if line)


def beginning_of(text: str, limit: int = TEXT_CHARACTERS) -> str:
    """Return the beginning of a text that a result has room for, whatever its characters take as JSON."""
    beginning = excerpt.head(text, limit)
    while (size := json_size(beginning)) > TEXT_BYTES:
        beginning = excerpt.head(beginning, len(beginning) * TEXT_BYTES // size - 1)
    return beginning


def part_note(beginning: str, text: str, rest: str) -> str:
    """Return the note on a text that is shown in part, with the way to read its rest; that may be empty."""
    return f"the first {len(beginning)} of {len(text)} characters" + (f"; {rest}" if rest else "")


def without_tools(text: str, names: Collection[str]) -> str:
    """Return a text of our own without the sentences that name one of some tools."""
    sentences = SENTENCE_END.split(text)
    return " ".join(sentence for sentence in sentences if set(TOOL_NAME.findall(sentence)).isdisjoint(names))
