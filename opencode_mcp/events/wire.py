"""Parser for the lines of OpenCode's event stream; unknown events become ``None`` at little cost.

Pure. The format is that of ``global.event`` (each event wrapped with its directory). Unknown fields survive in the
models that an event carries.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from opencode_mcp.errors import BridgeError
from opencode_mcp.opencode.models import (
    Failure,
    MessageInfo,
    Permission,
    Question,
    Session,
    SessionStatus,
    Todo,
)
from opencode_mcp.text.json_text import read_json
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
        if self.part.get("tool") != "task":
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


def _session_of(properties: JsonMap) -> str:
    return str(properties.get("sessionID") or "")


def _message(properties: JsonMap) -> Event:
    message = MessageInfo.read(properties.get("info"))
    return MessageChanged(message.session_id, message)


def _part(properties: JsonMap) -> Event:
    part = cast("JsonMap", properties.get("part") or {})
    return PartChanged(_session_of(part) or _session_of(properties), part)


def _delta(properties: JsonMap) -> Event:
    def text(name: str) -> str:
        return str(properties.get(name) or "")

    return PartGrew(_session_of(properties), text("messageID"), text("partID"), text("field"), text("delta"))


def _session(properties: JsonMap, *, created: bool) -> Event:
    session = Session.read(properties.get("info"))
    return SessionChanged(session.id, session, created)


def _deleted(properties: JsonMap) -> Event:
    info = cast("JsonMap", properties.get("info") or {})
    return SessionDeleted(str(info.get("id") or _session_of(properties)))


def _permission(properties: JsonMap) -> Event:
    permission = Permission.read(properties)
    return PermissionAsked(permission.session_id, permission)


def _question(properties: JsonMap) -> Event:
    question = Question.read(properties)
    return QuestionAsked(question.session_id, question)


def _closed(properties: JsonMap) -> Event:
    return RequestClosed(_session_of(properties), str(properties.get("requestID") or ""))


NO_DIRECTORY = "global"
"""Directory field of events that concern all."""
PARSERS: Mapping[str, Callable[[JsonMap], Event]] = {
    "session.status": lambda p: StatusChanged(_session_of(p), SessionStatus.read(p.get("status"))),
    "session.idle": lambda p: Idle(_session_of(p)),
    "session.error": lambda p: Failed(_session_of(p), Failure.read(p.get("error") or {})),
    "session.created": lambda p: _session(p, created=True),
    "session.updated": lambda p: _session(p, created=False),
    "session.deleted": _deleted,
    "message.updated": _message,
    "message.part.updated": _part,
    "message.part.delta": _delta,
    "todo.updated": lambda p: TodosChanged(_session_of(p), Todo.read_list(p.get("todos") or [])),
    "permission.asked": _permission,
    "permission.replied": _closed,
    "question.asked": _question,
    "question.replied": _closed,
    "question.rejected": _closed,
    "server.instance.disposed": lambda p: InstanceDisposed("", str(p.get("directory") or "")),
    "global.disposed": lambda _: InstanceDisposed("", ""),
}


def is_noise(data: str) -> bool:
    """Return True if a line is the second copy of an event, before the JSON is parsed: half of the stream is."""
    return '"payload":{"type":"sync"' in data


def parse(data: str) -> Event | None:
    """Parse one line of the stream.

    Returns:
        The event; ``None`` if the bridge does not use it or cannot parse it.
    """
    try:
        wrapped = cast("JsonMap", read_json(data))
        payload = cast("JsonMap", wrapped.get("payload") or wrapped)
        parser = PARSERS.get(str(payload.get("type")))
        if parser is None:
            return None
        directory = str(wrapped.get("directory") or "")
        event = parser(cast("JsonMap", payload.get("properties") or {}))
        return replace(event, told_in=directory) if directory not in {"", NO_DIRECTORY} else event
    except (ValueError, AttributeError, BridgeError):
        return None
