"""Messages of a session: the prompts of the user, and the answers of the model."""

from typing import Any

from pydantic import Field

from opencode_mcp.opencode.vocabulary.wire.parts import Part, ToolPart
from opencode_mcp.opencode.vocabulary.wire.shared_values import Failure, Span, Tokens
from opencode_mcp.opencode.vocabulary.wire.wire_object import Wire

NEXT_STEP = "tool-calls"
"""Value of ``finish`` of a step that called tools, whose results the model then gets in the next step."""
LONGEST_PAUSE_MS = 10_000
"""Time between the end of a step and a prompt after which that prompt is no part of the same work."""
PROMPT_MARK = "oMCP"
"""End of the ids of the prompts that bridges send, each when its session is idle, or behind the session's work."""


class MessageInfo(Wire):
    """Message without its parts; the fields after the first four belong to the assistant's messages."""

    id: str
    session_id: str
    role: str
    time: Span = Span()
    parent_id: str = ""
    agent: str = ""
    provider_id: str = ""
    model_id: str = ""
    finish: str = ""
    error: Failure | None = None
    cost: float = 0
    tokens: Tokens = Tokens()
    structured: Any = None
    summary: Any = None
    joined: bool = False
    """True for a prompt that OpenCode added to the work on the prompt before it, as OpenCode 2 records it."""
    ended: bool = False
    """True for the last answer to a prompt once OpenCode 2 recorded an end of its work, or began other work.

    If that answer is not complete, OpenCode was killed while it wrote it.
    """

    @property
    def joins_nothing(self) -> bool:
        """Return True for a prompt that a bridge sent: OpenCode adds none of them to work that it has begun."""
        return self.id.endswith(PROMPT_MARK)

    @property
    def model(self) -> str:
        """Return the model that answered, as ``provider/model``."""
        return f"{self.provider_id}/{self.model_id}" if self.model_id else ""

    @property
    def is_complete(self) -> bool:
        """Return True if OpenCode completed the message, or recorded an error of it; a killed OpenCode does neither."""
        return self.time.completed is not None or self.error is not None

    @property
    def has_last_step(self) -> bool:
        """Return True if it has a finished step of the model that called no tool."""
        return self.finish not in {"", NEXT_STEP}


class Message(Wire):
    """Answer of ``session.message``: a message with its parts."""

    info: MessageInfo
    parts: list[Part] = Field(default_factory=list[Part])

    @property
    def tool_calls(self) -> list[ToolPart]:
        """Return the parts that are calls of tools."""
        return [part for part in self.parts if isinstance(part, ToolPart)]

    def tool_call(self, call_id: str) -> ToolPart | None:
        """Return the tool call with an id; ``None`` if the message has none."""
        return next((call for call in self.tool_calls if call.call_id == call_id), None)
