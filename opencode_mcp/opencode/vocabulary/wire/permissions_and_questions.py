"""Requests that OpenCode waits for: permissions, and questions with their fields."""

from typing import Any, Literal

from pydantic import Field

from opencode_mcp.opencode.vocabulary.wire.wire_object import Wire

AlwaysLasts = Literal["until_restart", "for_ever"]
"""Time for which OpenCode keeps the answer "always": until it ends, or saved with the project (OpenCode 2)."""
FieldKind = Literal["choice", "text", "number", "integer", "boolean", "external"]
"""Types of answers; ``external`` is a web page that a person must open."""
PermissionDecision = Literal["once", "always", "reject"]


class ToolCall(Wire):
    """Tool call that a request belongs to."""

    message_id: str = ""
    call_id: str = ""


class Permission(Wire):
    """Open permission request: entry of ``permission.list``, and ``permission.asked``."""

    id: str
    session_id: str
    permission: str = ""
    patterns: list[str] = Field(default_factory=list[str])
    always: list[str] = Field(default_factory=list[str])
    always_lasts: AlwaysLasts = "until_restart"
    metadata: dict[str, Any] = Field(default_factory=dict)
    tool: ToolCall | None = None
    message: str = ""
    """Explanation that came with the request; empty if there is none."""
    of_client: bool = False
    """True if no work of the model asks, so that any client or plugin may have opened it."""


class Choice(Wire):
    """Option of a question."""

    label: str
    description: str = ""
    value: str = ""
    """Text that an answer contains for this option; empty if it is the label."""

    @property
    def answer(self) -> str:
        """Return the text that an answer contains for this option."""
        return self.value or self.label


class Condition(Wire):
    """Condition under which a question is asked: the value of an earlier one."""

    key: str
    op: str = "eq"
    """``eq`` or ``neq``."""
    value: str | float | bool


class QuestionItem(Wire):
    """Single question of a request. The fields after the first five are those of OpenCode 2's forms."""

    question: str
    header: str = ""
    options: list[Choice] = Field(default_factory=list[Choice])
    multiple: bool = False
    custom: bool = True
    key: str = ""
    """Name of the field in the reply."""
    kind: FieldKind = "choice"
    """Type of the value. A ``choice`` without options takes own words."""
    required: bool = True
    hidden: bool = False
    """True if nobody is asked: the field is answered with its default."""
    format: str = ""
    """Format of a text: ``email``, ``uri``, ``date`` or ``date-time``."""
    pattern: str = ""
    """Regular expression of JavaScript that a text must match."""
    placeholder: str = ""
    min_length: int | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    min_items: int | None = None
    max_items: int | None = None
    default: str | float | bool | list[str] | None = None
    url: str = ""
    """Address that a person must open, of an ``external`` field."""
    when: list[Condition] = Field(default_factory=list[Condition])
    """Conditions that must all hold for the question to be asked."""


class Question(Wire):
    """Open question request: entry of ``question.list``, and ``question.asked``."""

    id: str
    session_id: str
    questions: list[QuestionItem] = Field(default_factory=list[QuestionItem])
    tool: ToolCall | None = None
    """The call of the question tool; ``None`` if an MCP server or a plugin asks."""
    title: str = ""
    message: str = ""
    """Explanation that came with the request; empty if there is none."""
    server: str = ""
    """The MCP server that asks; empty for others."""
    of_directory: bool = False
    """True if OpenCode knows the directory and not the session that it belongs to, as for MCP servers."""
    of_client: bool = False
    """True if no tool call asks, but a client or a plugin; it also waits while its session is idle."""

    @property
    def asked(self) -> list[QuestionItem]:
        """Return the questions without the hidden ones."""
        return [item for item in self.questions if not item.hidden]
