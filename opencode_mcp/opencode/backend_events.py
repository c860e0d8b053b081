"""Events of OpenCode, in the words of the bridge; the parser of each generation makes them.

Pure. An event says that something may have changed in a session. ``Gap`` and ``Lost`` are the bridge's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from opencode_mcp.opencode.models import (
    SUBAGENT_TOOLS,
    Failure,
    MessageInfo,
    Permission,
    Question,
    Session,
    SessionStatus,
    Todo,
)
from opencode_mcp.text.json_types import JsonMap


@dataclass(frozen=True, slots=True)
class Event:
    """Event in one session; ``session_id`` is empty for events that concern all."""

    session_id: str
    told_in: str = field(default="", kw_only=True, compare=False)
    """Directory whose instance of OpenCode sent it; empty for events that concern all."""

    @property
    def place(self) -> str:
        """Return the directory that it is about; empty for events that concern all."""
        return self.told_in


@dataclass(frozen=True, slots=True)
class Gap(Event):
    """Events may be missing: the state must be read again."""


@dataclass(frozen=True, slots=True)
class Lost(Event):
    """OpenCode is gone; ``reason`` says how this was detected."""

    reason: str


@dataclass(frozen=True, slots=True)
class StatusChanged(Event):
    """Event ``session.status``."""

    status: SessionStatus


@dataclass(frozen=True, slots=True)
class Idle(Event):
    """Event ``session.idle``: a hint that a run may be over."""


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """Event ``session.error``."""

    error: Failure


@dataclass(frozen=True, slots=True)
class SessionChanged(Event):
    """Events ``session.created`` and ``session.updated``."""

    session: Session
    """Its title or directory is empty if the event does not contain it, as with most events of OpenCode 2."""
    created: bool

    @property
    def place(self) -> str:
        """Return the session's own directory."""
        return self.session.directory or self.told_in


@dataclass(frozen=True, slots=True)
class SessionDeleted(Event):
    """Event ``session.deleted``."""


@dataclass(frozen=True, slots=True)
class MessageChanged(Event):
    """Event ``message.updated``."""

    message: MessageInfo


@dataclass(frozen=True, slots=True)
class PartChanged(Event):
    """Event ``message.part.updated``; the part is not parsed, since few parts are used."""

    part: JsonMap

    @property
    def child_session(self) -> str:
        """Return the session of the subagent that the part's tool call started; empty if it started none."""
        if str(self.part.get("tool")) not in SUBAGENT_TOOLS:
            return ""
        return str(_map(_map(self.part.get("state")).get("metadata")).get("sessionId") or "")


@dataclass(frozen=True, slots=True)
class PartGrew(Event):
    """Event ``message.part.delta``: text was appended to a part."""

    message_id: str
    part_id: str
    field: str
    delta: str


@dataclass(frozen=True, slots=True)
class TodosChanged(Event):
    """Event ``todo.updated``."""

    todos: list[Todo]


@dataclass(frozen=True, slots=True)
class PermissionAsked(Event):
    """Event ``permission.asked``."""

    permission: Permission


@dataclass(frozen=True, slots=True)
class QuestionAsked(Event):
    """Event ``question.asked``."""

    question: Question


@dataclass(frozen=True, slots=True)
class RequestClosed(Event):
    """A permission or a question was answered, by any client."""

    request_id: str


@dataclass(frozen=True, slots=True)
class InstanceDisposed(Event):
    """OpenCode dropped a directory's instance, and with it every run and request there."""

    directory: str


def _map(value: object) -> JsonMap:
    """Return a value that should be a map; empty if it is not."""
    return cast("JsonMap", value) if isinstance(value, Mapping) else {}
