"""Events about OpenCode 2's sessions and their requests, converted to the bridge's events. Pure."""

from collections.abc import Callable, Mapping

from opencode_mcp.opencode.v2.event_parsing.event_memory import Received
from opencode_mcp.opencode.v2.messages.message_parts import tokens
from opencode_mcp.opencode.v2.request_conversions import permission_of, question_of
from opencode_mcp.opencode.vocabulary.backend_events import (
    Event,
    Idle,
    PartChanged,
    PermissionAsked,
    QuestionAsked,
    RequestClosed,
    SessionChanged,
    SessionDeleted,
)
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.text.json_values import as_map, as_number, as_text


def _created(received: Received) -> list[Event]:
    received.session.parent_id = as_text(received.data.get("parentID"))
    _note_directory(received)
    return [_session(received, created=True)]


def _forked(received: Received) -> list[Event]:
    """Report a fork as a new session: its ``parentID`` is the session that it was copied from, not its parent."""
    return [_session(received, created=True)]


def _moved(received: Received) -> list[Event]:
    _note_directory(received)
    return [_session(received)]


def _changed(received: Received) -> list[Event]:
    return [_session(received)]


def _deleted(received: Received) -> list[Event]:
    return [SessionDeleted(received.session_id)]


def _idle(received: Received) -> list[Event]:
    return [Idle(received.session_id)]


def _note_directory(received: Received) -> None:
    directory = as_text(as_map(received.data.get("location")).get("directory"))
    received.session.directory = directory or received.session.directory


def _session(received: Received, *, created: bool = False) -> SessionChanged:
    """Return the change of a session, with what the event or an earlier one contains of it."""
    data, session = received.data, received.session
    fields: dict[str, object] = {
        "id": received.session_id,
        "title": as_text(data.get("title")),
        "directory": session.directory,
        "parentID": session.parent_id or None,
        "projectID": as_text(data.get("projectID")),
        "cost": as_number(data.get("cost")),
        "tokens": tokens(data),
    }
    return SessionChanged(received.session_id, Session.read(fields), created)


def _permission_asked(received: Received) -> list[Event]:
    return [PermissionAsked(received.session_id, permission_of(received.data))]


def _permission_replied(received: Received) -> list[Event]:
    request_id, reply = as_text(received.data.get("requestID")), as_text(received.data.get("reply"))
    return [RequestClosed(received.session_id, request_id, reply)]


def _form_created(received: Received) -> list[Event]:
    return [QuestionAsked(received.session_id, question_of(as_map(received.data.get("form"))))]


def _form_closed(received: Received) -> list[Event]:
    return [RequestClosed(received.session_id, as_text(received.data.get("id")))]


def _transcript_changed(received: Received) -> list[Event]:
    """Report that messages were added or changed; the event may not say which, and no part of them is known."""
    message_id = as_text(received.data.get("messageID"))
    part = {"sessionID": received.session_id, "messageID": message_id, "type": "unknown"}
    return [PartChanged(received.session_id, part)]


def _settings_changed(received: Received) -> list[Event]:
    """Report another agent or model, which a session shows and its transcript records."""
    return [*_changed(received), *_transcript_changed(received)]


PARSERS: Mapping[str, Callable[[Received], list[Event]]] = {
    "session.created": _created,
    "session.forked": _forked,
    "session.renamed": _changed,
    "session.moved": _moved,
    "session.usage.updated": _changed,
    "session.metadata.updated": _changed,
    "session.archived": _changed,
    "session.unarchived": _changed,
    "session.agent.selected": _settings_changed,
    "session.model.selected": _settings_changed,
    "session.revert.staged": _changed,
    "session.revert.cleared": _changed,
    "session.revert.committed": _settings_changed,
    "session.deleted": _deleted,
    "session.idle": _idle,
    "session.compaction.started": _transcript_changed,
    "session.compaction.ended": _transcript_changed,
    "session.compaction.failed": _transcript_changed,
    "session.message.content.updated": _transcript_changed,
    "permission.asked": _permission_asked,
    "permission.replied": _permission_replied,
    "form.created": _form_created,
    "form.replied": _form_closed,
    "form.cancelled": _form_closed,
}
"""Parsers by the type of the event."""
