"""What a check found: data, and nothing about how it is shown."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from opencode_mcp.errors import BridgeError

Grade = Literal["ok", "warn", "FAIL"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check."""

    grade: Grade
    """``warn``: prompts can be run all the same; ``FAIL``: they cannot."""
    text: str
    """What was found."""
    remedy: str = ""
    """What to do about it."""
    check: str = ""
    """The name of the check."""

    @property
    def failed(self) -> bool:
        """Whether the main job cannot work."""
        return self.grade == "FAIL"


def found(text: str) -> Finding:
    """It works."""
    return Finding("ok", text)


def warn(text: str, remedy: str) -> Finding:
    """It is not as it should be, and prompts can be run."""
    return Finding("warn", text, remedy)


def fail(text: str, remedy: str) -> Finding:
    """Prompts cannot be run."""
    return Finding("FAIL", text, remedy)


def failure_of(error: "BridgeError") -> Finding:
    """A check that ended with an error of ours."""
    return fail(error.message, error.hint)
