"""Calls of OpenCode 2 about the messages of a session: pages of them, and what they show of its state."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from opencode_mcp.errors import (
    NotFound,
)
from opencode_mcp.opencode.v2.calls.inbox import LATEST
from opencode_mcp.opencode.v2.messages.compactions_and_shell_lines import source_id
from opencode_mcp.opencode.v2.messages.conversation import END, to_messages
from opencode_mcp.opencode.v2.model_pauses import pause_of
from opencode_mcp.opencode.vocabulary.session_filter import Page
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.parts import ToolPart
from opencode_mcp.opencode.vocabulary.wire.session_objects import SessionStatus
from opencode_mcp.text.json_values import as_map, as_maps

if TYPE_CHECKING:
    from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.opencode.v2.calls.data_caller import DataCaller

ANSWER = "assistant"
"""Type of the messages of the model."""
TURN_MARKS = frozenset({"user", "idle"})
"""Types of messages that begin or end the work on a prompt."""
MOST_MESSAGES = 200
"""Most messages that OpenCode 2 sends in one page."""
PAGES_OF_A_TURN = 50
"""Pages in which the prompt of a turn, or a message that is shown, is searched for."""
OLDER_MESSAGES = 10
"""Messages that are read to learn whether there is an older one to show."""


class MessageCalls(DataCaller):
    """Calls about messages."""

    async def session_messages(self, session_id: str, *, limit: int, before: str = "") -> Page[Message]:
        """Call ``message.list``; a page that begins in the middle of a turn is read with the turn's prompt.

        A page that would begin with the mark of an end begins with the message before it, which the mark is about. A
        page of marks alone is read with the page before it, and a cursor leads to messages that are shown.
        """
        items, cursor = await self._shown_items(session_id, min(limit, MOST_MESSAGES), before)
        items, cursor = await self._from_marked(session_id, items, cursor)
        prompt = await self._prompt_before(session_id, items, cursor)
        # The model's messages follow a prompt; before others there may be nothing, though OpenCode sends a cursor.
        if cursor and items[0].get("type") != ANSWER:
            older, _ = await self._shown_items(session_id, OLDER_MESSAGES, cursor)
            cursor = cursor if to_messages(older, session_id) else ""
        return Page(to_messages(items, session_id, prompt=prompt), cursor)

    async def _from_marked(self, session_id: str, items: "list[JsonMap]", cursor: str) -> "tuple[list[JsonMap], str]":
        """Return items, with the message before them if they begin with the mark of its end."""
        if not cursor or not items or items[0].get("type") != END:
            return items, cursor
        marked, cursor = await self._items(session_id, 1, cursor)
        return [*marked, *items], cursor

    async def _shown_items(self, session_id: str, limit: int, before: str) -> "tuple[list[JsonMap], str]":
        """Return a page of messages of which at least one is shown, unless only marks are left."""
        items, cursor = await self._items(session_id, limit, before)
        for _ in range(PAGES_OF_A_TURN):
            if not cursor or to_messages(items, session_id):
                break
            older, cursor = await self._items(session_id, limit, cursor)
            items = [*older, *items]
        return items, cursor

    async def _items(self, session_id: str, limit: int, before: str) -> "tuple[list[JsonMap], str]":
        """Return a page of messages, oldest first, and the cursor of older ones; empty at the beginning."""
        query = {"limit": limit, "cursor": before} if before else {"limit": limit, "order": "desc"}
        reply = as_map(await self.call("message.list", path={"sessionID": session_id}, query=query))
        items = as_maps(reply.get("data"))
        cursor = as_map(reply.get("cursor")).get("next")
        return items[::-1], str(cursor) if cursor and len(items) >= limit else ""

    async def _prompt_before(self, session_id: str, items: "Sequence[JsonMap]", cursor: str) -> str:
        """Return the id of the prompt that is answered where a page begins; empty if none is."""
        if items and items[0].get("type") in TURN_MARKS:
            return ""
        for _ in range(PAGES_OF_A_TURN):
            if not cursor:
                break
            older, cursor = await self._items(session_id, MOST_MESSAGES, cursor)
            for item in reversed(older):
                if item.get("type") in TURN_MARKS:
                    return str(item.get("id")) if item.get("type") == "user" else ""
        return ""

    async def session_message(self, session_id: str, message_id: str) -> Message:
        """Call ``session.message.get``; for an answer ``message.list`` too, since only the order tells its prompt.

        The mark of a failure before the first answer is shown as an answer.

        Raises:
            NotFound: There is no such message, or it is a mark that the bridge does not show.
        """
        path = {"sessionID": session_id, "messageID": source_id(message_id)}
        item = as_map(await self._data("session.message.get", path=path))
        if item.get("type") not in {ANSWER, END}:
            return _named(to_messages([item], session_id), session_id, message_id)
        items, cursor = await self._items_from(session_id, source_id(message_id))
        prompt = await self._prompt_before(session_id, items, cursor)
        return _named(to_messages(items, session_id, prompt=prompt), session_id, message_id)

    async def tool_call(self, session_id: str, message_id: str, call_id: str) -> ToolPart | None:
        """Call ``session.message.get`` alone: a tool call does not depend on the messages before it."""
        path = {"sessionID": session_id, "messageID": source_id(message_id)}
        item = as_map(await self._data("session.message.get", path=path))
        return _named(to_messages([item], session_id), session_id, message_id).tool_call(call_id)

    async def _items_from(self, session_id: str, item_id: str) -> "tuple[list[JsonMap], str]":
        """Return the page with a message and the page after it, which may have the mark of its end.

        With them comes the cursor of older messages. No message is there if it is not found in ``PAGES_OF_A_TURN``.
        """
        newer: list[JsonMap] = []
        cursor = ""
        for _ in range(PAGES_OF_A_TURN):
            items, cursor = await self._items(session_id, MOST_MESSAGES, cursor)
            if any(item.get("id") == item_id for item in items):
                return await self._from_marked(session_id, [*items, *newer], cursor)
            if not cursor:
                break
            newer = items
        return [], ""

    async def session_pause(self, session_id: str) -> SessionStatus | None:
        """Call ``message.list``: a message shows the pause, also when it is over."""
        items, _ = await self._items(session_id, LATEST, "")
        answers = [item for item in items if item.get("type") == "assistant"]
        retry = as_map(answers[-1].get("retry") if answers else None)
        pause = pause_of(retry) if retry else None
        return pause if pause and pause.next > self._sender.clock.now() * 1000 else None

    async def running_shell(self, session_id: str, directory: str) -> str:
        """Call ``message.list``, and ``shell.list`` if the latest shell line has no end on record.

        OpenCode 2 does not count the session as active meanwhile. The line of a server that was killed has no end.
        """
        items, _ = await self._items(session_id, LATEST, "")
        lines = [str(item.get("shellID")) for item in items if item.get("type") == "shell" and _is_running(item)]
        if not lines:
            return ""
        running = {str(item.get("id")) for item in as_maps(await self._data("shell.list", directory=directory))}
        return lines[-1] if lines[-1] in running else ""


def _is_running(shell: "JsonMap") -> bool:
    return shell.get("status") == "running"


def _named(messages: Sequence[Message], session_id: str, message_id: str) -> Message:
    for message in messages:
        if message.info.id == message_id:
            return message
    raise _no_message(session_id, message_id)


def _no_message(session_id: str, message_id: str) -> NotFound:
    return NotFound(f"The session {session_id} has no message {message_id!r}.")
