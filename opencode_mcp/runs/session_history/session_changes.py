"""Reads which files a session changed, from its messages alone: no difference is computed for it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from math import inf

from opencode_mcp.diffs.authorship import WriteCall
from opencode_mcp.diffs.session_files import SessionFile, session_files
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.session_history.history import is_copied, messages_not_undone


@dataclass(frozen=True, slots=True)
class SessionChanges:
    """Files that a session changed and did not undo."""

    files: Sequence[SessionFile] = ()
    is_whole: bool = True
    """False if the session has earlier messages, which were not read."""

    def made_certain(self) -> "SessionChanges":
        """Return the same changes, each as certainly made by the session."""
        return replace(self, files=[replace(file, is_certain=True) for file in self.files])

    @property
    def are_certain(self) -> bool:
        """Return True if the session certainly made each change."""
        return all(file.is_certain for file in self.files)

    def without(self, others: Sequence[WriteCall]) -> "SessionChanges":
        """Return the changes that known changes of others do not explain."""
        return replace(self, files=[file for file in self.files if not file.is_of(others)])


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


@dataclass(frozen=True, slots=True)
class LatestMessages:
    """The latest messages of a session that it did not undo or copy, the latest first."""

    session: Session
    messages: Sequence[Message]
    is_whole: bool
    """False if the session has earlier messages."""

    def changes(self, since: float = 0) -> SessionChanges:
        """Return which files they changed.

        Args:
            since: Only messages that ended after this time count, in milliseconds since the epoch.
        """
        later = list(takewhile(partial(_is_since, since), self.messages))
        is_whole = self.is_whole or len(later) < len(self.messages)
        return SessionChanges(session_files(later, self.session.directory), is_whole)


async def read_latest(client: OpenCodeClient, session: Session, most: int) -> LatestMessages:
    """Read the latest messages of a session (``session.messages``).

    Args:
        client: Reads the messages.
        session: The session.
        most: Most messages that are read.
    """
    messages: list[Message] = []
    async for message in messages_not_undone(client, session, page=most):
        if len(messages) == most:
            return LatestMessages(session, messages, is_whole=False)
        messages.append(message)
    return LatestMessages(session, messages, is_whole=True)


async def read_changes(client: OpenCodeClient, session: Session, most: int) -> SessionChanges:
    """Read which files a session changed, as ``read_latest``."""
    return (await read_latest(client, session, most)).changes()


def _is_since(since: float, message: Message) -> bool:
    """Return False for an answer that ended before a time."""
    return message.info.role != "assistant" or (message.info.time.completed or inf) >= since
