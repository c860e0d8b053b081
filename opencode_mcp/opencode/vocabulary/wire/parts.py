"""Parts of messages: texts, reasoning, tool calls, steps, files and others."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import Discriminator, Field, Tag

from opencode_mcp.opencode.vocabulary.wire.shared_values import Failure, Span, Tokens
from opencode_mcp.opencode.vocabulary.wire.wire_object import Wire

SUBAGENT_TOOLS = frozenset({"task", "subagent"})
"""Names of the tool that starts a subagent: OpenCode 1's and OpenCode 2's."""
SUBAGENT_STOPPED = "Task cancelled"
"""Error that OpenCode 1 writes into the call of a subagent that was stopped."""
QUESTION_TOOL = "question"
"""Name of the tool by which a model asks questions."""
ENDED_CALLS = frozenset({"completed", "error"})
"""Statuses of the tool calls that have a result."""
SHELL_LINE_NOTE = "The following tool was executed by the user"
"""Text in front of a shell line that the user ran, as OpenCode 1 writes it; OpenCode 2 has no such text."""


class ToolState(Wire):
    """State of a tool call."""

    status: str = "pending"
    input: dict[str, Any] = Field(default_factory=dict)
    output: str = ""
    title: str = ""
    error: str = ""
    metadata: dict[str, Any] = Field(default_factory=dict)
    attachments: list[dict[str, Any]] = Field(default_factory=list[dict[str, Any]])
    """File parts that the tool returned beside its output, such as an image that it read."""
    time: Span = Span()
    """Start and end of the call, as far as it has begun and ended."""


class BasePart(Wire):
    """Fields that every part of a message has."""

    id: str = ""
    session_id: str = ""
    message_id: str = ""


class TextPart(BasePart):
    """Text of the person or of the model."""

    type: Literal["text"]
    text: str = ""
    synthetic: bool = False
    ignored: bool = False

    @property
    def announces_shell_line(self) -> bool:
        """Return True if the next message is the call of a shell line that the user ran."""
        return self.synthetic and self.text.strip() == SHELL_LINE_NOTE


class ReasoningPart(BasePart):
    """Reasoning of the model."""

    type: Literal["reasoning"]
    text: str = ""


class ToolPart(BasePart):
    """Tool call and its result."""

    type: Literal["tool"]
    tool: str
    call_id: str = ""
    state: ToolState = ToolState()

    @property
    def has_ended(self) -> bool:
        """Return True if the call has a result."""
        return self.state.status in ENDED_CALLS

    @property
    def child_session(self) -> str:
        """Return the session of the subagent that this call started; empty if it started none."""
        return str(self.state.metadata.get("sessionId") or "") if self.tool in SUBAGENT_TOOLS else ""


class StepFinishPart(BasePart):
    """End of one model step, with its cost."""

    type: Literal["step-finish"]
    reason: str = ""
    cost: float = 0
    tokens: Tokens = Tokens()
    snapshot: str = ""
    """Id of the files as OpenCode recorded them; empty where it records none: outside of git, or by its settings."""


class PatchPart(BasePart):
    """Files that a step changed."""

    type: Literal["patch"]
    files: list[str] = Field(default_factory=list[str])


class FilePart(BasePart):
    """Attached file."""

    type: Literal["file"]
    mime: str = ""
    url: str = ""
    filename: str = ""


class AgentPart(BasePart):
    """Agent that the prompt mentions."""

    type: Literal["agent"]
    name: str = ""


class SubtaskPart(BasePart):
    """Task that the prompt delegates to a subagent."""

    type: Literal["subtask"]
    prompt: str = ""
    description: str = ""
    agent: str = ""


class RetryPart(BasePart):
    """Failure of the model after which it was called again."""

    type: Literal["retry"]
    attempt: int = 0
    error: Failure = Failure()


class CompactionPart(BasePart):
    """Point at which a summary replaced the conversation before it."""

    type: Literal["compaction"]
    auto: bool = False
    overflow: bool = False
    """True if the conversation had exceeded the model's context."""


class NoticePart(BasePart):
    """Change of a session's agent, model or directory, which OpenCode 2 records among the messages."""

    type: Literal["notice"]
    subject: str = ""
    """``agent``, ``model`` or ``directory``."""
    value: str = ""
    """Agent, model or directory from then on."""


class UnknownPart(BasePart):
    """Part of a type that the bridge does not use or does not know."""

    type: str = ""


_KNOWN_PARTS = frozenset(
    {"text", "reasoning", "tool", "step-finish", "patch", "file", "agent", "subtask", "retry", "compaction", "notice"}
)


def _part_tag(value: object) -> str:
    kind = cast("Mapping[str, object]", value).get("type") if isinstance(value, Mapping) else getattr(value, "type", "")
    return kind if isinstance(kind, str) and kind in _KNOWN_PARTS else "unknown"


Part = Annotated[
    Annotated[TextPart, Tag("text")]
    | Annotated[ReasoningPart, Tag("reasoning")]
    | Annotated[ToolPart, Tag("tool")]
    | Annotated[StepFinishPart, Tag("step-finish")]
    | Annotated[PatchPart, Tag("patch")]
    | Annotated[FilePart, Tag("file")]
    | Annotated[AgentPart, Tag("agent")]
    | Annotated[SubtaskPart, Tag("subtask")]
    | Annotated[RetryPart, Tag("retry")]
    | Annotated[CompactionPart, Tag("compaction")]
    | Annotated[NoticePart, Tag("notice")]
    | Annotated[UnknownPart, Tag("unknown")],
    Discriminator(_part_tag),
]
