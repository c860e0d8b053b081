"""Parser for the event stream of OpenCode 1 (``global.event``); unknown events become nothing at little cost.

Pure. Each event is wrapped with its directory. Unknown fields survive in the models that an event carries.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import cast

from opencode_mcp.errors import BridgeError
from opencode_mcp.opencode.vocabulary.backend_events import (
    Event,
    Failed,
    Idle,
    InstanceDisposed,
    MessageChanged,
    PartChanged,
    PartGrew,
    PermissionAsked,
    QuestionAsked,
    RequestClosed,
    SessionChanged,
    SessionDeleted,
    StatusChanged,
    TodosChanged,
    WorktreeReady,
)
from opencode_mcp.opencode.vocabulary.wire.message import MessageInfo
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import Permission, Question
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session, SessionStatus, Todo
from opencode_mcp.opencode.vocabulary.wire.shared_values import Failure
from opencode_mcp.text.json_text import read_json
from opencode_mcp.text.json_types import JsonMap


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
    request_id, reply = str(properties.get("requestID") or ""), properties.get("reply")
    return RequestClosed(_session_of(properties), request_id, reply if isinstance(reply, str) else "")


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
    "worktree.ready": lambda _: WorktreeReady(""),
    "worktree.failed": lambda p: WorktreeReady("", str(p.get("message") or "OpenCode gives no reason")),
    "server.instance.disposed": lambda p: InstanceDisposed("", str(p.get("directory") or "")),
    "global.disposed": lambda _: InstanceDisposed("", ""),
}


def is_noise(data: str) -> bool:
    """Return True if a line is the second copy of an event, before the JSON is parsed: half of the stream is."""
    return '"payload":{"type":"sync"' in data


class EventParser1:
    """Parser for one stream. It keeps no state, since every event of OpenCode 1 is whole."""

    def parse(self, data: str) -> list[Event]:
        """Parse one line of the stream.

        Returns:
            The event; nothing if the bridge does not use it or cannot parse it.
        """
        try:
            wrapped = cast("JsonMap", read_json(data))
            payload = cast("JsonMap", wrapped.get("payload") or wrapped)
            parser = PARSERS.get(str(payload.get("type")))
            if parser is None:
                return []
            directory = str(wrapped.get("directory") or "")
            event = parser(cast("JsonMap", payload.get("properties") or {}))
            return [replace(event, reported_directory=directory) if directory not in {"", NO_DIRECTORY} else event]
        except (ValueError, AttributeError, BridgeError):
            return []
