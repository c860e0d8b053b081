"""Stops a session with all its subagents, and says what OpenCode began after it was asked to stop.

OpenCode 1.18 aborts a parent before its subagents. A subagent whose own subagent waits for an answer is then told that
its call failed, so it asks the model once more and runs what that says. So all sessions are aborted at once, the
deepest first, and again until none of the tree is busy. One level after the other was too slow on a busy machine: the
parent of an aborted session went on before its own abort came.
"""

import logging
from dataclasses import dataclass, field

import anyio

from opencode_mcp.errors import BackendError, NotFound
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.read_group import at_once
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.parts import ToolPart
from opencode_mcp.runs.following.progress_lines import LINE_LIMIT, subject_of
from opencode_mcp.runs.run_record import MESSAGES_A_PAGE
from opencode_mcp.text.outside_text import shorten

logger = logging.getLogger(__name__)

ABORT_PAUSE_SECONDS = 0.05
READ_SECONDS = 5.0
"""Seconds for which a tree is read; what was not reached by then is left out."""
MOST_SESSIONS = 5000
"""Sessions of a tree that are looked at; a server that names ever more must not keep a stop from ending."""
STARTED = frozenset({"running", "completed", "error"})


@dataclass(frozen=True, slots=True)
class StartedCall:
    """A tool call that OpenCode has begun."""

    session_id: str
    part: ToolPart

    def describe(self, directory: str) -> str:
        """Return the tool and what it works on, on one line."""
        subject = subject_of(self.part.state.input, directory)
        return shorten(f"{self.part.tool}: {subject}" if subject else self.part.tool, LINE_LIMIT)


@dataclass(frozen=True, slots=True)
class StopResult:
    """Result of a request to stop."""

    was_running: bool
    began_late: list[StartedCall] = field(default_factory=list[StartedCall])
    """The tool calls that OpenCode began after it was asked to stop, oldest first."""
    busy: list[str] = field(default_factory=list[str])
    """The sessions that were still busy at the deadline."""


class SessionTree:
    """A session with its subagents, theirs, and so on.

    Args:
        client: Bound to the server that they run on.
        session_id: The topmost session.
        directory: Where they work.
    """

    def __init__(self, client: OpenCodeClient, session_id: str, directory: str) -> None:
        self._client = client
        self._root = session_id
        self._directory = directory

    async def levels(self, seconds: float = READ_SECONDS) -> list[list[str]]:
        """Return the sessions by depth, the topmost first, each once (``session.children``).

        Args:
            seconds: How long the tree is read; a tree of any depth is read as far as that allows.

        Raises:
            BackendError: OpenCode could not be read.
        """
        levels = [[self._root]]
        seen = {self._root}
        with anyio.move_on_after(seconds) as reading:
            while len(seen) < MOST_SESSIONS and (children := await self._new_children(levels[-1], seen)):
                seen.update(children)
                levels.append(children)
        if reading.cancelled_caught or len(seen) >= MOST_SESSIONS:
            logger.warning("%s has more subagents than were read: %d in %d levels", self._root, len(seen), len(levels))
        return levels

    async def _new_children(self, session_ids: list[str], seen: set[str]) -> list[str]:
        children = await self._children(session_ids)
        return [child for child in dict.fromkeys(children) if child not in seen]

    async def _children(self, session_ids: list[str]) -> list[str]:
        async with at_once() as reads:
            found = [reads.start(self._children_of, session_id) for session_id in session_ids]
        return [child for children in found for child in children.value]

    async def _children_of(self, session_id: str) -> list[str]:
        try:
            return [child.id for child in await self._client.session_children(session_id)]
        except NotFound:
            return []  # Deleted meanwhile.
        except BackendError as error:
            logger.warning("the subagents of %s could not be read: %s", session_id, error)
            return await self._busy_children_of(session_id)

    async def _busy_children_of(self, session_id: str) -> list[str]:
        """Return the busy subagents of a session, where OpenCode cannot list its subagents (``session.status``)."""
        busy = await self._client.session_status(self._directory)
        return [name for name in busy if await self._parent_of(name) == session_id]

    async def _parent_of(self, session_id: str) -> str:
        try:
            return (await self._client.session_get(session_id)).parent_id or ""
        except NotFound:
            return ""  # Deleted meanwhile.

    async def busy_levels(self, seconds: float = READ_SECONDS) -> list[list[str]]:
        """Return the busy sessions by depth (``session.status``); nothing where the whole tree is idle.

        The topmost one is busy as well while a person's shell line runs in it.

        Args:
            seconds: How long the tree is read.

        Raises:
            BackendError: OpenCode could not be read.
        """
        levels = await self.levels(seconds)
        busy = set(await self._client.session_status(self._directory))
        if self._root not in busy and await self._shell_line_runs():
            busy.add(self._root)
        kept = [[session_id for session_id in level if session_id in busy] for level in levels]
        return [level for level in kept if level]

    async def _shell_line_runs(self) -> bool:
        try:
            return bool(await self._client.running_shell(self._root, self._directory))
        except NotFound:
            return False  # Deleted meanwhile.

    async def stop(self, seconds: float, busy: list[list[str]] | None = None) -> list[str]:
        """Abort the busy sessions until all are idle (``session.abort``).

        Args:
            seconds: When to give up.
            busy: The busy sessions by depth, where they were read just now. They are aborted without another read,
                since a model that answers at once begins a step in the time of a few requests.

        Returns:
            The sessions that were still busy then.

        Raises:
            BackendError: OpenCode could not be read or refused.
        """
        left = busy or []
        with anyio.move_on_after(seconds):
            if left:
                await self._abort(left, seconds / 2)
            # A tree that takes all the time to read must still be aborted as far as it is known.
            while left := await self.busy_levels(seconds / 3):
                await self._abort(left, seconds / 2)
                await anyio.sleep(ABORT_PAUSE_SECONDS)
        return [session_id for level in left for session_id in level]

    async def _abort(self, levels: list[list[str]], seconds: float) -> None:
        """Abort sessions, the deepest first."""
        session_ids = [session_id for level in reversed(levels) for session_id in level]
        with anyio.move_on_after(seconds):
            async with at_once() as requests:
                for session_id in session_ids:
                    requests.start(self._abort_one, session_id)

    async def _abort_one(self, session_id: str) -> None:
        try:
            await self._client.session_abort(session_id, self._directory)
        except NotFound:
            return  # Deleted meanwhile; the others must be stopped all the same.

    async def started_calls(self) -> list[StartedCall]:
        """Return the tool calls of the latest messages that OpenCode has begun (``session.messages``).

        Raises:
            BackendError: OpenCode could not be read.
        """
        session_ids = [session_id for level in await self.levels() for session_id in level]
        async with at_once() as reads:
            calls = [reads.start(self._started_in, session_id) for session_id in session_ids]
        return [call for found in calls for call in found.value]

    async def _started_in(self, session_id: str) -> list[StartedCall]:
        try:
            page = await self._client.session_messages(session_id, limit=MESSAGES_A_PAGE)
        except NotFound:
            return []  # Deleted meanwhile.
        return _started(session_id, page.items)


def _started(session_id: str, messages: list[Message]) -> list[StartedCall]:
    calls = [call for message in messages for call in message.tool_calls]
    return [StartedCall(session_id, call) for call in calls if call.state.status in STARTED]


async def stop_and_compare(tree: SessionTree, seconds: float) -> StopResult:
    """Stop a tree, and find the tool calls that it began meanwhile.

    Args:
        tree: What to stop.
        seconds: When to give up stopping.

    Raises:
        BackendError: OpenCode could not be asked to stop.
    """
    before = await _started_if_readable(tree)
    busy = await tree.stop(seconds)
    after = await _started_if_readable(tree)
    if before is None or after is None:
        return StopResult(was_running=True, busy=busy)
    known = {call.part.id for call in before}
    return StopResult(was_running=True, began_late=[call for call in after if call.part.id not in known], busy=busy)


async def _started_if_readable(tree: SessionTree) -> list[StartedCall] | None:
    """Return the calls that have begun; ``None`` if they cannot be read, which is no reason not to stop."""
    try:
        return await tree.started_calls()
    except BackendError as error:
        logger.info("could not read what runs: %s", error)
        return None
