"""Values that several kinds of objects have: times, tokens, and errors."""

from typing import Any

from pydantic import Field

from opencode_mcp.opencode.vocabulary.wire.wire_object import Wire

ABORTED_ERROR = "MessageAbortedError"
"""Name of the error of a message whose run somebody stopped."""


class Span(Wire):
    """Start, last update and end, in milliseconds since the epoch."""

    created: float = 0
    updated: float = 0
    completed: float | None = None
    archived: float | None = None
    start: float | None = None
    end: float | None = None


class Tokens(Wire):
    """Tokens of one model step, or of a message."""

    input: float = 0
    output: float = 0
    reasoning: float = 0


class Failure(Wire):
    """Error that OpenCode recorded in a message or reported in ``session.error``."""

    name: str = "UnknownError"
    data: dict[str, Any] = Field(default_factory=dict)

    @property
    def text(self) -> str:
        """Return the first line of OpenCode's message; a stack trace follows it."""
        message = str(self.data.get("message") or self.name).strip().split("\n    at ", 1)[0].strip()
        status = self.data.get("statusCode")
        return f"{message} ({self.name}, HTTP {status} from the model)" if status else message
