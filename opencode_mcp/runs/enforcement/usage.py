"""Cost and steps of one run with its subagents, by the messages of their sessions.

Each step of the model is one message of the assistant. A message is read while its step runs and once more when the
next one has begun, since OpenCode writes the cost of a step at its end. Older messages do not change, so each reading
takes the newest messages only. OpenCode 2 lists the message of a step only when the model has said something, so the
events about messages count as well.
"""

from collections.abc import Iterable
from math import inf

from opencode_mcp.errors import NotFound
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary.wire.message import MessageInfo
from opencode_mcp.runs.run_record import PAGES_READ, Run

NEWEST_MESSAGES = 5
"""Messages of a page: one step is usually new."""


class RunUsage:
    """Cost and steps of a run, as far as they have been read.

    Args:
        client: Reads the messages.
        run: The run.
    """

    def __init__(self, client: OpenCodeClient, run: Run) -> None:
        self._client = client
        self._run = run
        self._steps: dict[str, dict[str, float]] = {}
        """Cost of each step by the id of its message, for each session."""
        self._latest_read: dict[str, str] = {}
        """Message of the latest step of each session that was read, not only reported by an event."""
        self._began = inf
        """Beginning of the run's first step, in milliseconds since the epoch."""

    @property
    def cost(self) -> float:
        """Cost of the steps so far, in US dollars."""
        return sum(cost for steps in self._steps.values() for cost in steps.values())

    @property
    def steps(self) -> int:
        """Number of the steps that have begun."""
        return sum(len(steps) for steps in self._steps.values())

    def note(self, info: MessageInfo) -> bool:
        """Note a message that an event has reported; return True if it is a new step of the run."""
        if not self._is_step(info) or info.id in self._steps.get(info.session_id, {}):
            return False
        self._add(info)
        return True

    async def read(self, session_ids: Iterable[str]) -> None:
        """Read the new steps of some sessions of the run (``session.messages``).

        Args:
            session_ids: Sessions of the run; its own is always read, and first.

        Raises:
            NotFound: The session of the run was deleted.
            BackendError: OpenCode could not be read.
        """
        await self._read(self._run.session_id)
        for session_id in session_ids:
            if session_id != self._run.session_id:
                await self._read_subagent(session_id)

    async def _read_subagent(self, session_id: str) -> None:
        try:
            await self._read(session_id)
        except NotFound:
            return  # Deleted; what was read of it still counts.

    async def _read(self, session_id: str) -> None:
        found: list[MessageInfo] = []
        cursor = ""
        for _ in range(PAGES_READ):
            page = await self._client.session_messages(session_id, limit=NEWEST_MESSAGES, before=cursor)
            infos = [message.info for message in page.items]
            found = infos + found
            cursor = page.cursor
            if not cursor or any(self._is_known(session_id, info) for info in infos):
                break
        for info in found:
            if self._is_step(info):
                self._add(info)
                self._latest_read[session_id] = info.id

    def _add(self, info: MessageInfo) -> None:
        self._steps.setdefault(info.session_id, {})[info.id] = info.cost
        if info.session_id == self._run.session_id:
            self._began = min(self._began, info.time.created)

    def _is_step(self, info: MessageInfo) -> bool:
        """Return True for a step of the run. The steps of a subagent come after the first one of the run itself."""
        if info.role != "assistant":
            return False
        if info.session_id != self._run.session_id:
            return info.time.created >= self._began
        return info.parent_id == self._run.message_id or info.id > self._run.message_id

    def _is_known(self, session_id: str, info: MessageInfo) -> bool:
        """Return True for the latest step that was read before, and for a message that is older than the run."""
        if info.id == self._latest_read.get(session_id):
            return True
        if session_id == self._run.session_id:
            return info.id == self._run.message_id
        return info.time.created < self._began
