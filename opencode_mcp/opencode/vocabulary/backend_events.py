"""Events of OpenCode, in the words of the bridge; the parser of each generation makes them.

Pure. An event says that something may have changed in a session. ``Gap`` and ``Lost`` are the bridge's own.
"""

from dataclasses import dataclass, field

from opencode_mcp.opencode.vocabulary.wire.message import MessageInfo
from opencode_mcp.opencode.vocabulary.wire.parts import SUBAGENT_TOOLS
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import Permission, Question
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session, SessionStatus, Todo
from opencode_mcp.opencode.vocabulary.wire.shared_values import Failure
from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_map


@dataclass(frozen=True, slots=True)
class Event:
    """Event in one session; ``session_id`` is empty for events that concern all."""

    session_id: str
    reported_directory: str = field(default="", kw_only=True, compare=False)
    """Directory whose instance of OpenCode sent it; empty for events that concern all."""

    @property
    def place(self) -> str:
        """Return the directory that it is about; empty for events that concern all."""
        return self.reported_directory


@dataclass(frozen=True, slots=True)
class Gap(Event):
    """Events may be missing: the state must be read again."""


@dataclass(frozen=True, slots=True)
class Lost(Event):
    """OpenCode is gone; ``reason`` says how this was detected."""

    reason: str


@dataclass(frozen=True, slots=True)
class StatusChanged(Event):
    """The session became busy or idle, or waits before it asks the model again."""

    status: SessionStatus


@dataclass(frozen=True, slots=True)
class Idle(Event):
    """The session fell idle: a hint that a run may be over."""


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """A run of the session failed or was stopped."""

    error: Failure


@dataclass(frozen=True, slots=True)
class SessionChanged(Event):
    """A session was created, or its record changed."""

    session: Session
    """Its title or directory is empty if the event does not contain it, as with most events of OpenCode 2."""
    created: bool

    @property
    def place(self) -> str:
        """Return the session's own directory."""
        return self.session.directory or self.reported_directory


@dataclass(frozen=True, slots=True)
class SessionDeleted(Event):
    """The session was deleted."""


@dataclass(frozen=True, slots=True)
class MessageChanged(Event):
    """A message was added, or changed apart from its parts."""

    message: MessageInfo


@dataclass(frozen=True, slots=True)
class PartChanged(Event):
    """A part of a message was added or changed. It is not parsed, since few parts are used."""

    part: JsonMap

    @property
    def child_session(self) -> str:
        """Return the session of the subagent that the part's tool call started; empty if it started none."""
        if str(self.part.get("tool")) not in SUBAGENT_TOOLS:
            return ""
        return str(as_map(as_map(self.part.get("state")).get("metadata")).get("sessionId") or "")


@dataclass(frozen=True, slots=True)
class PartGrew(Event):
    """Text was appended to a part of a message."""

    message_id: str
    part_id: str
    field: str
    delta: str


@dataclass(frozen=True, slots=True)
class TodosChanged(Event):
    """The todo list of the session changed."""

    todos: list[Todo]


@dataclass(frozen=True, slots=True)
class PermissionAsked(Event):
    """The session waits for a permission."""

    permission: Permission


@dataclass(frozen=True, slots=True)
class QuestionAsked(Event):
    """The session waits for an answer to a question."""

    question: Question


@dataclass(frozen=True, slots=True)
class RequestClosed(Event):
    """A permission or a question was answered, by any client."""

    request_id: str
    reply: str = field(default="", compare=False)
    """Answer to a permission: ``once``, ``always`` or ``reject``; empty if it is not known."""


@dataclass(frozen=True, slots=True)
class InstanceDisposed(Event):
    """OpenCode dropped a directory's instance, and with it every run and request there."""

    directory: str


@dataclass(frozen=True, slots=True)
class WorktreeReady(Event):
    """The files of a new git worktree are there, and OpenCode has opened it; OpenCode 2 does not report it."""

    failure: str = ""
    """Reason why they are not; empty if they are."""


@dataclass(frozen=True, slots=True)
class ProjectChanged(Event):
    """Agents, models, commands, MCP servers or the branch of a directory changed; OpenCode 1 does not report it."""

    commands: bool
    """True if the slash commands may have changed."""
    reopened: bool = False
    """True if OpenCode may be opening the directory anew: its lists are empty meanwhile."""
