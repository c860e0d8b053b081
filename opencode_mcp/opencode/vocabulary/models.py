"""Data classes for the parts of OpenCode's JSON that the bridge reads.

Parsing is tolerant: unknown fields are kept, and unknown types of parts and states become ``UnknownPart`` and plain
text. So a newer OpenCode causes less detail and no failures.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, Self, TypeVar, cast

from pydantic import BaseModel, Discriminator, Field, Tag, ValidationError, model_validator

from opencode_mcp.errors import BackendFailed
from opencode_mcp.opencode.versions import Generation
from opencode_mcp.text.json_values import as_map, as_number

SUBAGENT_TOOLS = frozenset({"task", "subagent"})
"""Names of the tool that starts a subagent: OpenCode 1's and OpenCode 2's."""
NEXT_STEP = "tool-calls"
"""Value of ``finish`` of a step that called tools, whose results the model then gets in the next step."""
LONGEST_PAUSE_MS = 10_000
"""Time between the end of a step and a prompt after which that prompt is no part of the same work."""
PROMPT_MARK = "oMCP"
"""End of the ids of the prompts that bridges send, each when its session is idle, or behind the session's work."""
QUESTION_TOOL = "question"
"""Name of the tool by which a model asks questions."""
ABORTED_ERROR = "MessageAbortedError"
"""Name of the error of a message whose run somebody stopped."""
SUBAGENT_STOPPED = "Task cancelled"
"""Error that OpenCode 1 writes into the call of a subagent that was stopped."""


In = TypeVar("In")
Out = TypeVar("Out")


def to_opencode(name: str) -> str:
    """Return a field's name in OpenCode's spelling: ``session_id`` is ``sessionID``, ``mime_type`` is ``mimeType``."""
    first, *rest = name.split("_")
    return first + "".join("ID" if word == "id" else word.capitalize() for word in rest)


def read_each(read: Callable[[In], Out], values: Iterable[In]) -> list[Out]:
    """Parse values one by one; one that cannot be parsed is dropped, so that it does not affect the others.

    Raises:
        BackendFailed: None of them can be parsed.
    """
    entries: list[Out] = []
    failures: list[BackendFailed] = []
    for value in values:
        try:
            entries.append(read(value))
        except BackendFailed as error:
            failures.append(error)
    if failures and not entries:
        raise failures[0]
    return entries


class Wire(BaseModel, alias_generator=to_opencode, populate_by_name=True, extra="allow"):
    """JSON object from OpenCode."""

    @classmethod
    def read(cls, value: object) -> Self:
        """Parse one object.

        Raises:
            BackendFailed: A field is missing that every known OpenCode sends.
        """
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            fields = ", ".join(sorted({".".join(map(str, detail["loc"])) or "itself" for detail in error.errors()}))
            raise BackendFailed(f"OpenCode sent a {cls.__name__} of an unknown form ({fields}).") from error

    @classmethod
    def read_list(cls, value: object) -> list[Self]:
        """Parse an array of objects; an entry that cannot be parsed is dropped, so that it does not affect the others.

        Raises:
            BackendFailed: The value is not an array, or none of its entries can be parsed.
        """
        if not isinstance(value, list):
            raise BackendFailed(f"OpenCode sent no list of {cls.__name__}.")
        return read_each(cls.read, cast("list[object]", value))


class Configured(Wire):
    """Object that a project's files define; OpenCode writes null for fields that they leave out."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        return {name: item for name, item in cast("Mapping[str, object]", value).items() if item is not None}


class Health(Wire):
    """State of a server that answers, as ``detection.detect`` finds it."""

    healthy: Literal[True]
    version: str
    generation: Generation = 1
    pid: int | None = None
    """Id of the server's process on its own machine; only OpenCode 2 says it."""


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


class FileDiff(Wire):
    """Change of one file."""

    file: str = ""
    patch: str = ""
    additions: int = 0
    deletions: int = 0
    status: str = "modified"


class Undone(Wire):
    """Point to which a session was reverted, and the changes that this made."""

    message_id: str = ""
    diff: str = ""


class Session(Wire):
    """Answer of ``session.get``."""

    id: str
    title: str = ""
    directory: str = ""
    parent_id: str | None = None
    project_id: str = ""
    time: Span = Span()
    cost: float | None = None
    """Cost of its own messages in US dollars, without those of its subagents; see ``counts_copies``."""
    tokens: Tokens = Tokens()
    """Tokens of its own messages; see ``counts_copies``."""
    revert: Undone | None = None
    """Present from a revert until it is cancelled, or made final by the next prompt."""
    forked_from: str = ""
    """The session whose messages it began with; empty if it is no fork, or that is not known."""
    counts_copies: bool = False
    """True if its cost and tokens may include those of the messages that a fork copied."""
    renamed: float = 0
    """Time of its renaming, in milliseconds since the epoch, if that is no change to OpenCode."""

    @property
    def changed(self) -> float:
        """Return the time of its last change, in milliseconds since the epoch."""
        return max(self.time.updated, self.time.archived or 0, self.renamed)


class SessionStatus(Wire):
    """Entry of ``session.status``; a session without an entry is idle."""

    type: str
    attempt: int = 0
    message: str = ""
    next: float = 0
    """Time of the next request to the model, in milliseconds since the epoch."""


ENDED_CALLS = frozenset({"completed", "error"})
"""Statuses of the tool calls that have a result."""


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


SHELL_LINE_NOTE = "The following tool was executed by the user"
"""Text in front of a shell line that the user ran, as OpenCode 1 writes it; OpenCode 2 has no such text."""


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


class Todo(Wire):
    """Entry of a session's todo list."""

    content: str = ""
    status: str = "pending"
    priority: str = ""


AlwaysLasts = Literal["until_restart", "for_ever"]
"""Time for which OpenCode keeps the answer "always": until it ends, or saved with the project (OpenCode 2)."""
FieldKind = Literal["choice", "text", "number", "integer", "boolean", "external"]
"""Types of answers; ``external`` is a web page that a person must open."""


class ToolCall(Wire):
    """Tool call that a request belongs to."""

    message_id: str = ""
    call_id: str = ""


PermissionDecision = Literal["once", "always", "reject"]


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


class Agent(Configured):
    """Entry of ``app.agents``."""

    name: str
    description: str = ""
    mode: str = ""
    hidden: bool = False


class Command(Configured):
    """Entry of ``command.list``."""

    name: str
    description: str = ""
    hints: list[str] = Field(default_factory=list[str])
    """Placeholders of the template, such as ``$ARGUMENTS`` and ``$1``."""
    template: object = None
    """Text of the command; no text for a prompt of an MCP server, which OpenCode requests only when it is run."""


class ProviderModel(Wire):
    """Model that a provider offers."""

    id: str
    name: str = ""
    variants: dict[str, Any] = Field(default_factory=dict)
    cost: object = None
    limit: object = None

    @property
    def price(self) -> tuple[float, float] | None:
        """Return the price of a million tokens in and out, in dollars; ``None`` if it is unknown."""
        cost = as_map(self.cost)
        read, written = as_number(cost.get("input")), as_number(cost.get("output"))
        return None if read is None or written is None else (read, written)

    @property
    def context(self) -> int:
        """Return the size of the context in tokens; 0 if it is unknown."""
        return int(as_number(as_map(self.limit).get("context")) or 0)


class Provider(Wire):
    """Provider; its options, which hold keys, are never read."""

    id: str
    name: str = ""
    models: dict[str, ProviderModel] = Field(default_factory=dict[str, ProviderModel])


class Providers(Wire):
    """Answer of ``provider.list``, or of ``config.providers``, which has only ``providers`` and ``default``."""

    all: list[Provider] = Field(default_factory=list[Provider])
    providers: list[Provider] = Field(default_factory=list[Provider])
    default: dict[str, str] = Field(default_factory=dict[str, str])
    connected: list[str] = Field(default_factory=list[str])

    @property
    def usable(self) -> list[str]:
        """Return the models whose providers have credentials, as ``provider/model``."""
        return list(self.usable_models)

    @property
    def usable_models(self) -> dict[str, ProviderModel]:
        """Return the models whose providers have credentials, by ``provider/model``."""
        connected = [item for item in self.all if item.id in self.connected]
        return {f"{item.id}/{name}": model for item in connected for name, model in item.models.items()}


class Paths(Wire):
    """Answer of ``path.get``."""

    directory: str = ""
    worktree: str = ""
    home: str = ""
    config: str = ""
    """Folder of the user's configuration."""


class Vcs(Wire):
    """Answer of ``vcs.get``."""

    branch: str | None = None
    default_branch: str | None = None


class UncommittedFile(Wire):
    """Entry of ``vcs.status``."""

    file: str = ""
    status: str = ""
    additions: int = 0
    deletions: int = 0


class NewWorktree(Wire):
    """Git worktree that OpenCode has made for a project."""

    directory: str
    branch: str = ""
    """Branch that is checked out there; empty if it is not known."""
    is_ready: bool = False
    """True if its files are there; if not, an event ``WorktreeReady`` reports it."""


class McpStatus(Wire):
    """Entry of ``mcp.status``: an MCP server that OpenCode uses."""

    status: str
    error: str = ""


class FileNode(Wire):
    """Entry of ``file.list``."""

    name: str
    path: str
    type: str
    ignored: bool = False


class TextField(Wire):
    """Wrapper of a text in ``find.text``."""

    text: str = ""


class TextMatch(Wire):
    """Match of ``find.text``."""

    path: TextField
    lines: TextField
    line_number: int


class SymbolPlace(Wire):
    """Location of a symbol."""

    uri: str = ""
    range: dict[str, dict[str, int]] = Field(default_factory=dict[str, dict[str, int]])


class SymbolMatch(Wire):
    """Match of ``find.symbols``."""

    name: str
    kind: int = 0
    location: SymbolPlace = SymbolPlace()
