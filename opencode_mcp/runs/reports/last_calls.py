"""Sentence on the last tool calls of a run that was stopped: what ran, and how each call ended."""

from typing import TYPE_CHECKING

from opencode_mcp.opencode.vocabulary.wire.parts import ToolPart
from opencode_mcp.runs.following.progress_lines import LINE_LIMIT, subject_of
from opencode_mcp.text.name_lists import listed
from opencode_mcp.text.outside_text import shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opencode_mcp.opencode.vocabulary.wire.message import Message

CALLS_SHOWN = 5
WORDS_OF_STATUSES = {"completed": "completed", "error": "stopped or failed", "running": "begun"}
"""End of a call by its status; one of any other status was not begun."""


def last_calls(answers: "Sequence[Message]", directory: str) -> str:
    """Return a sentence on the calls of the last step that called a tool; empty if none did.

    Args:
        answers: The answers of the run, the oldest first.
        directory: The run's directory; paths in it are shown relative to it.
    """
    for answer in reversed(answers):
        calls = [_described(call, directory) for call in answer.tool_calls]
        if calls:
            head = "Its last call" if len(calls) == 1 else "Its last calls"
            return f"{head}: {listed(calls, CALLS_SHOWN)}."
    return ""


def _described(part: ToolPart, directory: str) -> str:
    subject = subject_of(part.state.input, directory)
    call = shorten(f"{part.tool}: {subject}" if subject else part.tool, LINE_LIMIT)
    return f"{call} ({WORDS_OF_STATUSES.get(part.state.status, 'not begun')})"
