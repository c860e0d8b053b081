"""Page of a session's transcript, with the messages of its subagents; older messages are not read."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from opencode_mcp.errors import InvalidArgument, NotFound
from opencode_mcp.markdown.cut_off_calls import idle_sessions, with_cut_off
from opencode_mcp.markdown.detail_level import NO_REQUEST_FACTS, RequestFacts
from opencode_mcp.markdown.excerpt import code
from opencode_mcp.markdown.show_choices import ShownParts
from opencode_mcp.markdown.transcript import messages_for, messages_with, render_transcript
from opencode_mcp.opencode.client import OpenCodeClient, Page
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.text.json_text import json_size
from opencode_mcp.text.outside_text import one_line

SUBAGENTS_READ = 5
"""Subagents of a page whose messages are read, the latest ones; the others are only named."""
MESSAGES_OF_SUBAGENT = 20
MOST_READS = 10
"""Most pages that are read to find messages with the wanted parts."""
ROOM_BYTES = 26_000
"""Largest page, in bytes of JSON: a result that contains a page twice would be cut without a cursor for the rest."""
LEAST_CHARACTERS = 2000
MARK_CHARACTERS = 6
"""Characters of a session's id that its cursors begin with."""
CURSOR_CHARACTERS = 80
"""Longest part of a wrong cursor that an error shows, in characters."""
UNREADABLE = "The session began with a prompt for a structured answer, which OpenCode 1.18 cannot show."
FirstWordsOf = Callable[[str], str]
"""Returns how a prompt began, by its id; empty if that is not known."""
POINTER = 'What is cut is shown longer with show="everything" and a smaller limit.'
POINTER_LIMIT = "What is cut is shown longer with a smaller limit."


@dataclass(frozen=True, slots=True)
class TranscriptPage:
    """Some messages as Markdown, oldest first."""

    text: str
    cursor: str
    """Cursor of the messages before them; empty at the beginning of the session."""


def no_first_words(_message_id: str) -> str:
    """Return nothing: it is not known how a prompt began."""
    return ""


async def read_transcript(
    client: OpenCodeClient,
    session: Session,
    *,
    limit: int,
    cursor: str = "",
    show: ShownParts = "brief",
    characters: int,
    first_words_of: FirstWordsOf = no_first_words,
    requests: RequestFacts = NO_REQUEST_FACTS,
) -> TranscriptPage:
    """Read the latest messages of a session, or those before a cursor (``session.messages``).

    A call without a result is one that was cut off if its session is idle.

    Args:
        client: Client of OpenCode.
        session: The session.
        limit: Most messages that are shown; there are fewer if they do not fit into the characters even in short form.
        cursor: From the page before; later messages do not change it.
        show: Parts to show, and whether texts are cut short.
        characters: Longest text, in characters; it is shorter if it would take more bytes than ``ROOM_BYTES``.
        first_words_of: Returns the beginning of a prompt that OpenCode cannot show.
        requests: Facts about the requests that the messages do not tell.

    Raises:
        InvalidArgument: The cursor does not belong to this session.
    """
    while True:
        page, children = await _messages_with_cut_off_calls(client, session, limit, cursor, show)
        if not page.items and not page.has_read:
            return TranscriptPage(UNREADABLE if cursor else "No message yet.", "")
        text = _fitted(partial(_rendered, page, session.directory, children, requests, show=show), characters)
        if limit <= 1 or _shows_all(text, messages_with(page.items, show)):
            return TranscriptPage(_with_missing_prompt(text, page.missing_prompt, first_words_of), page.cursor)
        limit //= 2


def _fitted(rendered: "partial[str]", characters: int) -> str:
    """Return a text of at most some characters; it is shorter if it would take more than ``ROOM_BYTES``."""
    text = rendered(characters=characters)
    if json_size(text) <= ROOM_BYTES or characters <= LEAST_CHARACTERS:
        return text
    # Characters of several bytes, or many that JSON escapes. The next attempt assumes that all are as dense as these.
    fewer = max(characters * ROOM_BYTES // json_size(text) * 9 // 10, LEAST_CHARACTERS)
    return rendered(characters=fewer)


def _shows_all(text: str, messages: list[Message]) -> bool:
    return all(message.info.id in text for message in messages)


def _with_missing_prompt(text: str, missing: str, first_words_of: FirstWordsOf) -> str:
    """Return a text with a line on the prompt that OpenCode cannot show in front, if there is one."""
    if not missing:
        return text
    words = first_words_of(missing)
    line = f"{UNREADABLE} It began with {code(words)}." if words else UNREADABLE
    return f"{line}\n\n{text}"


def _rendered(
    page: "_Messages",
    directory: str,
    children: dict[str, list[Message]],
    requests: RequestFacts,
    *,
    show: ShownParts,
    characters: int,
) -> str:
    pointer = POINTER if show == "brief" else POINTER_LIMIT
    return render_transcript(
        page.items,
        show=show,
        limit=characters,
        children=children,
        directory=directory,
        pointer=pointer,
        undone=page.undone,
        requests=requests,
    )


@dataclass(frozen=True, slots=True)
class _Messages:
    """Messages that a transcript needs."""

    items: list[Message]
    cursor: str
    has_read: bool
    """True if there were messages, of which maybe nothing is shown."""
    missing_prompt: str
    """Id of the session's first prompt, if it cannot be read, so that the messages begin with its answer."""
    undone: frozenset[str]
    """Ids of the messages that are undone."""


async def _messages_with_cut_off_calls(
    client: OpenCodeClient, session: Session, limit: int, cursor: str, show: ShownParts
) -> tuple[_Messages, dict[str, list[Message]]]:
    """Read messages, and those of their subagents; calls that OpenCode was ended in are marked."""
    page, children = await _messages_with_subagents(client, session, limit, cursor, show)
    idle = await idle_sessions(client, session, chain(page.items, *children.values()))
    if not idle:
        return page, children
    # Calls that ended meanwhile have their results now.
    page, children = await _messages_with_subagents(client, session, limit, cursor, show)
    marked = {child: with_cut_off(messages, idle) for child, messages in children.items()}
    return replace(page, items=with_cut_off(page.items, idle)), marked


async def _messages_with_subagents(
    client: OpenCodeClient, session: Session, limit: int, cursor: str, show: ShownParts
) -> tuple[_Messages, dict[str, list[Message]]]:
    page = await _messages(client, session, limit, cursor, show)
    return page, {} if show == "conversation" else await _subagents(client, page.items)


async def _messages(client: OpenCodeClient, session: Session, limit: int, cursor: str, show: ShownParts) -> _Messages:
    """Read messages until enough of them have something that is shown, or too many have been read."""
    items: list[Message] = []
    undone: set[str] = set()
    has_read, missing_prompt, shown = False, "", 0
    for _ in range(MOST_READS):
        page = await _page(client, session.id, limit - shown, cursor)
        undone |= _undone_in(page.items, session)
        has_read = has_read or bool(page.items)
        items = [*messages_for(page.items, show), *items]
        shown += len(messages_with(page.items, show))
        cursor = page.cursor
        missing_prompt = "" if cursor else _missing_prompt(page.items)
        if not cursor or shown >= limit or show in {"brief", "everything"}:
            break
    return _Messages(items, cursor, has_read, missing_prompt, frozenset(undone))


def _undone_in(messages: list[Message], session: Session) -> set[str]:
    """Return the ids of the messages of a page that are undone.

    Where the first of them is on another page, or cannot be shown, the ids tell the order.
    """
    first = session.revert.message_id if session.revert else ""
    if not first:
        return set()
    ids = [message.info.id for message in messages]
    return set(ids[ids.index(first) :]) if first in ids else {name for name in ids if name > first}


def _missing_prompt(messages: list[Message]) -> str:
    """Return the id of the prompt that the first message answers; empty if it is no answer."""
    return messages[0].info.parent_id if messages and messages[0].info.role == "assistant" else ""


async def _page(client: OpenCodeClient, session_id: str, limit: int, cursor: str) -> Page[Message]:
    """Read a page whose cursor names its session: OpenCode takes a cursor of another session for one of this."""
    mark = f"{session_id[-MARK_CHARACTERS:]}."
    foreign = InvalidArgument(
        f"The cursor {one_line(cursor, CURSOR_CHARACTERS)!r} is not from {session_id}.",
        hint="Leave it out for the latest messages.",
    )
    if cursor and not cursor.startswith(mark):
        raise foreign
    try:
        page = await client.session_messages(session_id, limit=limit, before=cursor.removeprefix(mark))
    except InvalidArgument as error:
        if not cursor:
            raise
        raise foreign from error
    return Page(page.items, f"{mark}{page.cursor}" if page.cursor else "")


async def _subagents(client: OpenCodeClient, messages: list[Message]) -> dict[str, list[Message]]:
    calls = [call for message in messages for call in message.tool_calls]
    sessions = list(dict.fromkeys(call.child_session for call in calls if call.child_session))
    children: dict[str, list[Message]] = {}
    for session_id in sessions[-SUBAGENTS_READ:]:
        try:
            children[session_id] = (await client.session_messages(session_id, limit=MESSAGES_OF_SUBAGENT)).items
        except NotFound:
            continue
    return children
