"""Reads which files a session changed, from its messages alone: no difference is computed for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from opencode_mcp.diffs.session_files import SessionFile, session_files
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary.models import Message, Session
from opencode_mcp.runs.sessions.history import is_copied, standing_messages


@dataclass(frozen=True, slots=True)
class SessionChanges:
    """Files that a session changed and did not undo."""

    files: Sequence[SessionFile] = ()
    is_whole: bool = True
    """False if the session has earlier messages, which were not read."""


NO_CHANGES = SessionChanges()


def changes_in(messages: Sequence[Message], session: Session) -> SessionChanges:
    """Return which files a session changed, from all its messages, the oldest first."""
    standing: list[Message] = []
    for message in messages:
        if session.revert and message.info.id == session.revert.message_id:
            break
        if not is_copied(message.info, session):
            standing.append(message)
    return SessionChanges(session_files(standing, session.directory))


async def read_changes(client: OpenCodeClient, session: Session, most: int, since: float = 0) -> SessionChanges:
    """Read which files a session changed (``session.messages``).

    Args:
        client: Reads the messages.
        session: The session.
        most: Most messages that are read, the latest first.
        since: Only messages that ended after this time, in milliseconds since the epoch.
    """
    messages: list[Message] = []
    async for message in standing_messages(client, session, page=most):
        if len(messages) == most:
            return SessionChanges(session_files(messages, session.directory), is_whole=False)
        if (message.info.time.completed or inf) < since and message.info.role == "assistant":
            break
        messages.append(message)
    return SessionChanges(session_files(messages, session.directory))
