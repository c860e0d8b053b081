"""Reads what happened in a session from its first message on."""

from collections.abc import AsyncIterator

from opencode_mcp.errors import BackendFailed, InvalidArgument, NotFound
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.codec import is_unreadable
from opencode_mcp.opencode.vocabulary.wire.message import Message, MessageInfo
from opencode_mcp.opencode.vocabulary.wire.parts import PatchPart
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.prompting.message_ids import is_made_before

MESSAGES_A_PAGE = 100


async def own_messages(
    client: OpenCodeClient, session: Session, *, page: int = MESSAGES_A_PAGE
) -> AsyncIterator[Message]:
    """Yield the messages of a session from the latest one on, without those that a fork copied.

    Args:
        client: Client of OpenCode.
        session: The session.
        page: Messages that are read at once.
    """
    async for message in _from_latest(client, session.id, page):
        if is_copied(message.info, session):
            return
        yield message


async def _from_latest(client: OpenCodeClient, session_id: str, page: int = MESSAGES_A_PAGE) -> AsyncIterator[Message]:
    """Yield all messages of a session from the latest one on."""
    cursor = ""
    while True:
        found = await client.session_messages(session_id, limit=page, before=cursor)
        for message in reversed(found.items):
            yield message
        cursor = found.cursor
        if not cursor:
            return


async def messages_not_undone(
    client: OpenCodeClient, session: Session, *, page: int = MESSAGES_A_PAGE
) -> AsyncIterator[Message]:
    """Yield what ``own_messages`` does, without the messages that are undone."""
    undone_from = session.revert.message_id if session.revert else ""
    async for message in own_messages(client, session, page=page):
        if not undone_from:
            yield message
        elif message.info.id == undone_from:
            undone_from = ""


async def last_copied(client: OpenCodeClient, fork: Session) -> float:
    """Return the time of the latest message that a fork copied, in milliseconds since the epoch; 0 if there is none."""
    async for message in _from_latest(client, fork.id):
        if is_copied(message.info, fork):
            return message.info.time.created
    return 0


def is_copied(info: MessageInfo, session: Session) -> bool:
    """Return True if a message of a session is one that a fork copied: it keeps its time, and has a new id.

    Where the clock was set back, a message is older than its session as well; then its id is, too.
    """
    return info.time.created < session.time.created and not is_made_before(info.id, session.time.created)


async def touched_files(client: OpenCodeClient, session_id: str, first: str) -> list[str]:
    """Return the files that the answers from a message on, or from a part of one, changed (``session.messages``).

    The message counts whole, also where only a part of it is meant.
    """
    files: dict[str, None] = {}
    async for message in _from_latest(client, session_id):
        files.update(dict.fromkeys(_patched_files(message)))
        if first == message.info.id or any(first == part.id for part in message.parts):
            break
    return list(files)


def _patched_files(message: Message) -> list[str]:
    files: list[str] = []
    for part in message.parts:
        if isinstance(part, PatchPart):
            files += part.files
    return files


async def prompt_of(client: OpenCodeClient, session_id: str, message_id: str) -> str:
    """Return the prompt that a message is, or answers (``session.message``).

    Raises:
        NotFound: The session has no such message.
    """
    try:
        message = await client.session_message(session_id, message_id)
    except BackendFailed as error:
        if not is_unreadable(error):
            raise
        return message_id
    except (InvalidArgument, NotFound) as error:
        raise _no_message(session_id, message_id) from error
    return message_id if message.info.role == "user" else message.info.parent_id or message_id


def _no_message(session_id: str, message_id: str) -> NotFound:
    return NotFound(
        f"The session {session_id} has no message {message_id!r}.", hint="opencode_session shows those that it has."
    )


async def uncopyable_prompt(client: OpenCodeClient, session_id: str, end: str = "") -> str:
    """Return the oldest prompt with ``format`` if OpenCode cannot read it back, and so cannot copy it; empty for none.

    That is a fault of OpenCode 1.18.33 (``session.messages``, ``session.message``).

    Args:
        client: Client of OpenCode.
        session_id: The session.
        end: Message from which on nothing is copied; empty if all is copied.
    """
    found = await _first_structured_prompt(client, session_id, end)
    if not found:
        return ""
    try:
        await client.session_message(session_id, found)
    except BackendFailed as error:
        if not is_unreadable(error):
            raise
        return found
    except NotFound:
        # The prompt of the oldest answer was deleted.
        return ""
    return ""


async def _first_structured_prompt(client: OpenCodeClient, session_id: str, end: str) -> str:
    found, oldest = "", None
    is_before_end = not end
    async for message in _from_latest(client, session_id):
        oldest = message
        if is_before_end and _is_structured(message):
            found = message.info.id
        is_before_end = is_before_end or message.info.id == end
    # The session's first message is left out of the page where it is such a prompt; its answer names it.
    first = oldest.info.parent_id if oldest and oldest.info.role == "assistant" else ""
    return found if first in {"", end} else first


def _is_structured(message: Message) -> bool:
    """Return True for a prompt that asks for a structured answer."""
    return bool((message.info.model_extra or {}).get("format"))
