"""The shapes that the bridge reads from OpenCode, and no more than it reads.

Everything is tolerant: fields that nobody here names are kept, part and status types that nobody here knows come
through as ``UnknownPart`` and plain text, so that a newer OpenCode degrades instead of breaking.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, Discriminator, Field, Tag, ValidationError, model_validator

from opencode_mcp.errors import BackendFailed


def to_opencode(name: str) -> str:
    """Spell a field as OpenCode does: ``session_id`` is ``sessionID``, ``mime_type`` is ``mimeType``."""
    first, *rest = name.split("_")
    return first + "".join("ID" if word == "id" else word.capitalize() for word in rest)


class Wire(BaseModel, alias_generator=to_opencode, populate_by_name=True, extra="allow"):
    """A JSON object from OpenCode."""

    @classmethod
    def read(cls, value: object) -> Self:
        """Read one object.

        Raises:
            BackendFailed: It lacks what every OpenCode that we know sends.
        """
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            fields = ", ".join(sorted({".".join(map(str, detail["loc"])) or "itself" for detail in error.errors()}))
            raise BackendFailed(f"OpenCode sent a {cls.__name__} of an unknown form ({fields}).") from error

    @classmethod
    def read_list(cls, value: object) -> list[Self]:
        """Read an array of objects; an entry that cannot be read is left out, so that it spoils no other.

        Raises:
            BackendFailed: It is no array, or none of its entries can be read.
        """
        if not isinstance(value, list):
            raise BackendFailed(f"OpenCode sent no list of {cls.__name__}.")
        entries: list[Self] = []
        failures: list[BackendFailed] = []
        for item in cast("list[object]", value):
            try:
                entries.append(cls.read(item))
            except BackendFailed as error:
                failures.append(error)
        if failures and not entries:
            raise failures[0]
        return entries


class Configured(Wire):
    """Something that a project's files describe: OpenCode writes null for what they leave out."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        return {name: item for name, item in cast("Mapping[str, object]", value).items() if item is not None}


class Health(Wire):
    """``global.health``."""

    healthy: Literal[True]
    version: str


class Span(Wire):
    """When something began, was last touched, and ended; milliseconds since the epoch."""

    created: float = 0
    updated: float = 0
    completed: float | None = None
    start: float | None = None
    end: float | None = None


class Tokens(Wire):
    """Tokens of one model step, or of a message."""

    input: float = 0
    output: float = 0
    reasoning: float = 0


class ModelRef(Wire):
    """A model as prompts and messages name it."""

    provider_id: str = Field(alias="providerID")
    model_id: str = Field(alias="modelID")

    def __str__(self) -> str:
        return f"{self.provider_id}/{self.model_id}"


class Failure(Wire):
    """An error that OpenCode recorded on a message, or told in ``session.error``."""

    name: str = "UnknownError"
    data: dict[str, Any] = Field(default_factory=dict)

    @property
    def text(self) -> str:
        """OpenCode's own words; the first line, since what follows is a stack trace."""
        message = str(self.data.get("message") or self.name).strip().split("\n    at ", 1)[0].strip()
        status = self.data.get("statusCode")
        return f"{message} ({self.name}, HTTP {status} from the model)" if status else message


class FileDiff(Wire):
    """What happened to one file."""

    file: str = ""
    patch: str = ""
    additions: int = 0
    deletions: int = 0
    status: str = "modified"


class Undone(Wire):
    """Where a session was undone from, and what that changed."""

    message_id: str = ""
    diff: str = ""


class Session(Wire):
    """``session.get``."""

    id: str
    title: str = ""
    directory: str = ""
    parent_id: str | None = None
    project_id: str = ""
    time: Span = Span()
    cost: float | None = None
    tokens: Tokens = Tokens()
    revert: Undone | None = None
    """Set from an undoing until it is taken back, or the next prompt makes it final."""


class SessionStatus(Wire):
    """One entry of ``session.status``; a session without an entry is idle."""

    type: str
    attempt: int = 0
    message: str = ""
    next: float = 0
    """When the model is asked again; milliseconds since the epoch."""


class ToolState(Wire):
    """How far a tool call is."""

    status: str = "pending"
    input: dict[str, Any] = Field(default_factory=dict)
    output: str = ""
    title: str = ""
    error: str = ""
    metadata: dict[str, Any] = Field(default_factory=dict)
    attachments: list[dict[str, Any]] = Field(default_factory=list[dict[str, Any]])
    """File parts that the tool gave beside its output, such as an image that it read."""


class BasePart(Wire):
    """What every part of a message carries."""

    id: str = ""
    session_id: str = ""
    message_id: str = ""


class TextPart(BasePart):
    """Text, of the person or of the model."""

    type: Literal["text"]
    text: str = ""
    synthetic: bool = False
    ignored: bool = False


class ReasoningPart(BasePart):
    """What the model thought."""

    type: Literal["reasoning"]
    text: str = ""


class ToolPart(BasePart):
    """A tool call and its result."""

    type: Literal["tool"]
    tool: str
    call_id: str = ""
    state: ToolState = ToolState()

    @property
    def child_session(self) -> str:
        """The session of the subagent that this call started; empty when it started none."""
        return str(self.state.metadata.get("sessionId") or "") if self.tool == "task" else ""


class StepFinishPart(BasePart):
    """The end of one model step, with what it cost."""

    type: Literal["step-finish"]
    reason: str = ""
    cost: float = 0
    tokens: Tokens = Tokens()


class PatchPart(BasePart):
    """The files that a step changed."""

    type: Literal["patch"]
    files: list[str] = Field(default_factory=list[str])


class FilePart(BasePart):
    """A file that was attached."""

    type: Literal["file"]
    mime: str = ""
    url: str = ""
    filename: str = ""


class AgentPart(BasePart):
    """An agent that the prompt names."""

    type: Literal["agent"]
    name: str = ""


class SubtaskPart(BasePart):
    """Work that the prompt hands to a subagent."""

    type: Literal["subtask"]
    prompt: str = ""
    description: str = ""
    agent: str = ""


class RetryPart(BasePart):
    """A failure of the model after which it was asked again."""

    type: Literal["retry"]
    attempt: int = 0
    error: Failure = Failure()


class CompactionPart(BasePart):
    """Where the conversation before was replaced by a summary."""

    type: Literal["compaction"]
    auto: bool = False
    overflow: bool = False
    """Whether it was because the conversation no longer fitted."""


class UnknownPart(BasePart):
    """A part that the bridge has no use for, or does not know."""

    type: str = ""


_KNOWN_PARTS = frozenset(
    {"text", "reasoning", "tool", "step-finish", "patch", "file", "agent", "subtask", "retry", "compaction"}
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
    | Annotated[UnknownPart, Tag("unknown")],
    Discriminator(_part_tag),
]


class MessageInfo(Wire):
    """A message without its parts; the fields below the first four are the assistant's."""

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

    @property
    def model(self) -> str:
        """The model that answered, as ``provider/model``."""
        return f"{self.provider_id}/{self.model_id}" if self.model_id else ""


class Message(Wire):
    """``session.message``: a message with its parts."""

    info: MessageInfo
    parts: list[Part] = Field(default_factory=list[Part])


class Todo(Wire):
    """One entry of a session's todo list."""

    content: str = ""
    status: str = "pending"
    priority: str = ""


class ToolCall(Wire):
    """The tool call that a request belongs to."""

    message_id: str = ""
    call_id: str = ""


class Permission(Wire):
    """A permission that OpenCode waits for; ``permission.list`` and ``permission.asked``."""

    id: str
    session_id: str
    permission: str = ""
    patterns: list[str] = Field(default_factory=list[str])
    always: list[str] = Field(default_factory=list[str])
    metadata: dict[str, Any] = Field(default_factory=dict)
    tool: ToolCall | None = None


class Choice(Wire):
    """One answer that a question offers."""

    label: str
    description: str = ""


class QuestionItem(Wire):
    """One question of a request."""

    question: str
    header: str = ""
    options: list[Choice] = Field(default_factory=list[Choice])
    multiple: bool = False
    custom: bool = True


class Question(Wire):
    """Questions that OpenCode waits for; ``question.list`` and ``question.asked``."""

    id: str
    session_id: str
    questions: list[QuestionItem] = Field(default_factory=list[QuestionItem])
    tool: ToolCall | None = None


class Agent(Configured):
    """One entry of ``app.agents``."""

    name: str
    description: str = ""
    mode: str = ""
    hidden: bool = False


class Command(Configured):
    """One entry of ``command.list``."""

    name: str
    description: str = ""
    hints: list[str] = Field(default_factory=list[str])
    """The placeholders of its template, such as ``$ARGUMENTS`` and ``$1``."""
    template: object = None
    """Its text; no text where it is a prompt of an MCP server, which OpenCode asks for only when it is run."""


class ProviderModel(Wire):
    """A model that a provider offers."""

    id: str
    name: str = ""
    variants: dict[str, Any] = Field(default_factory=dict)


class Provider(Wire):
    """A provider; its options, which hold keys, are never read."""

    id: str
    name: str = ""
    models: dict[str, ProviderModel] = Field(default_factory=dict[str, ProviderModel])


class Providers(Wire):
    """``provider.list``, or ``config.providers``, which has only ``providers`` and ``default``."""

    all: list[Provider] = Field(default_factory=list[Provider])
    providers: list[Provider] = Field(default_factory=list[Provider])
    default: dict[str, str] = Field(default_factory=dict[str, str])
    connected: list[str] = Field(default_factory=list[str])

    @property
    def usable(self) -> list[str]:
        """The models whose providers have credentials, as ``provider/model``."""
        return [f"{item.id}/{model}" for item in self.all if item.id in self.connected for model in item.models]


class Config(Wire):
    """``config.get``."""

    model: str = ""


class Paths(Wire):
    """``path.get``."""

    directory: str = ""
    worktree: str = ""
    home: str = ""
    config: str = ""
    """The user's folder of configuration."""


class Vcs(Wire):
    """``vcs.get``."""

    branch: str | None = None
    default_branch: str | None = None


class ChangedFile(Wire):
    """One entry of ``vcs.status``."""

    file: str = ""
    status: str = ""
    additions: int = 0
    deletions: int = 0


class McpStatus(Wire):
    """One entry of ``mcp.status``: an MCP server that OpenCode itself uses."""

    status: str
    error: str = ""


class FileNode(Wire):
    """One entry of ``file.list``."""

    name: str
    path: str
    type: str
    ignored: bool = False


class FileContent(Wire):
    """``file.read``."""

    type: str = "text"
    content: str = ""
    encoding: str = ""
    mime_type: str = ""


class Words(Wire):
    """How ``find.text`` wraps a text."""

    text: str = ""


class TextMatch(Wire):
    """One match of ``find.text``."""

    path: Words
    lines: Words
    line_number: int


class SymbolPlace(Wire):
    """Where a symbol is."""

    uri: str = ""
    range: dict[str, dict[str, int]] = Field(default_factory=dict[str, dict[str, int]])


class SymbolMatch(Wire):
    """One match of ``find.symbols``."""

    name: str
    kind: int = 0
    location: SymbolPlace = SymbolPlace()
