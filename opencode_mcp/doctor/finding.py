"""Findings of the checks, as data without presentation."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from opencode_mcp.errors import BridgeError

SENTENCE_END = re.compile(r"(?<=\.) ")
TOOL = re.compile(r"\bopencode_(?!mcp\b)[a-z]")
"""Beginning of the name of a tool, which only a host can call."""
Grade = Literal["ok", "warn", "FAIL"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Finding of one check."""

    grade: Grade
    """``warn``: prompts can still be run; ``FAIL``: they cannot."""
    text: str
    """Result of the check."""
    remedy: str = ""
    """Advice on what to do."""
    check: str = ""
    """Name of the check."""

    @property
    def failed(self) -> bool:
        """Return True if prompts cannot be run."""
        return self.grade == "FAIL"


def found(text: str) -> Finding:
    """Return a finding for something that works."""
    return Finding("ok", text)


def warn(text: str, remedy: str) -> Finding:
    """Return a finding for something that should be changed, although prompts can be run."""
    return Finding("warn", text, remedy)


def fail(text: str, remedy: str) -> Finding:
    """Return a finding for something that prevents prompts."""
    return Finding("FAIL", text, remedy)


def failure_of(error: "BridgeError") -> Finding:
    """Return the finding for a check that ended with an error of ours, without the advice to call a tool."""
    sentences = [sentence for sentence in SENTENCE_END.split(error.hint) if not TOOL.search(sentence)]
    return fail(error.message, " ".join(sentences))
