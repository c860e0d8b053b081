"""Permissions and questions that OpenCode waits for: which are open, and whose they are.

OpenCode keeps them in memory, one list for each directory, and leaves entries behind when a session is aborted or
deleted. So an entry is believed only while its session is busy and its tool call has not ended. A form of OpenCode 2
that no tool call opened may wait in an idle session, and is believed while it is listed. Replies are sent by
``answers/reply_sender.py``.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeGuard, TypeVar

import anyio

from opencode_mcp.bounded_dict import BoundedDict
from opencode_mcp.errors import BackendFailed, NotFound
from opencode_mcp.events.hub import Hub
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.read_group import at_once
from opencode_mcp.opencode.vocabulary import backend_events
from opencode_mcp.opencode.vocabulary.wire.parts import ToolPart
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import Permission, Question
from opencode_mcp.runs.outcome.run_report import PendingRequest
from opencode_mcp.runs.requests.request_descriptions import OpenRequest, describe

logger = logging.getLogger(__name__)

REQUESTS_KEPT = 1000
SESSIONS_KEPT = 1000
DEEPEST_SUBAGENT = 50
"""Sessions above a session: each of them is a request to OpenCode."""

Asking = TypeVar("Asking", Permission, Question)
RECENT_MESSAGES = 5
"""Newest messages of a session, among which the one is whose tool call runs."""
CODE_TOOL = "execute"
"""Tool of OpenCode 2 that calls tools of MCP servers from a script."""
UNNAMED = re.compile(r"[^A-Za-z0-9_-]")
"""Characters of a server's name that the names of its tools have as ``_``."""
CLOSERS = (backend_events.RequestClosed, backend_events.Idle, backend_events.Gap, backend_events.Lost)


class Requests:
    """The open requests of a server.

    Args:
        client: Reaches OpenCode.
        hub: Knows which session is whose subagent, and what was seen asked.
    """

    def __init__(self, client: OpenCodeClient, hub: Hub) -> None:
        self._client = client
        self._hub = hub
        self._reported = BoundedDict[str, str](REQUESTS_KEPT)
        self._topmost = BoundedDict[str, bool](SESSIONS_KEPT)
        """The sessions that are known to have no parent: a session never gets another one."""

    def remember(self, pending: Sequence[PendingRequest]) -> None:
        """Remember the sessions of requests that are reported: they may be answered after they were closed."""
        for request in pending:
            self._reported[request.request_id] = request.session_id

    def session_of(self, request_id: str) -> str:
        """Return the session of a request that was reported before; empty where it was not."""
        return self._reported.get(request_id, "")

    async def listed(self, directory: str) -> list[OpenRequest]:
        """Return the requests of a directory's sessions, also of past runs (``permission.list``, ``question.list``)."""
        async with at_once() as reads:
            permissions = reads.start(self._read, self._client.permissions, Permission, directory)
            questions = reads.start(self._read, self._client.questions, Question, directory)
        return [*permissions.value, *questions.value]

    async def _read(
        self, read: Callable[[str], Awaitable[list[Asking]]], kind: type[Asking], directory: str
    ) -> list[Asking]:
        """Read a list; if OpenCode cannot return it, use the requests that the stream delivered, of every directory.

        OpenCode 1.18.33 refuses the whole list of permissions while one of them has an argument left out.
        """
        try:
            return await read(directory)
        except BackendFailed as error:
            logger.info("%s; the requests that the event stream reported are used instead", error.message)
            return [request for request in self._hub.asked() if isinstance(request, kind)]

    async def waiting_in(self, directory: str) -> list[OpenRequest]:
        """Return the requests of the sessions of a directory that probably wait, with one look at each list.

        Unlike ``open``, it does not check whether the tool call that asks has ended.
        """
        found = [request for request in await self.listed(directory) if not is_of_directory(request)]
        if not found:
            return []
        busy = await self._client.session_status(directory)
        return [request for request in found if _outlasts_work(request) or request.session_id in busy]

    async def idle_askers(self, directory: str) -> set[str]:
        """Return the sessions of a directory in which something waits for an answer without a run."""
        if not (await self._client.features()).idle_questions:
            return set()
        return {item.session_id for item in await self._client.questions(directory) if _outlasts_work(item)}

    async def open(self, directory: str, session_id: str) -> list[PendingRequest]:
        """Return the open requests of a session and its subagents (``permission.list``, ``question.list``)."""
        found = await self.listed(directory)
        if not found:
            return []
        busy = await self._client.session_status(directory)
        described: list[PendingRequest] = []
        for request in found:
            owned = await self._of_run(request, session_id, busy)
            shown = await self._described(owned, subagent=owned.session_id != session_id) if owned else None
            if owned and shown:
                self._hub.note_open(owned, anyio.current_time())
                described.append(shown)
        return described

    async def _of_run(self, request: OpenRequest, session_id: str, busy: Iterable[str]) -> OpenRequest | None:
        """Return a request as one of a session or its busy subagents; ``None`` if it is of none of them."""
        if _outlasts_work(request) and request.session_id == session_id:
            return request
        if is_of_directory(request):
            return await self._of_waiting_session(request, session_id, busy)
        is_of_run = request.session_id in busy and session_id in await self._line(request.session_id)
        return request if is_of_run else None

    async def _of_waiting_session(self, question: Question, session_id: str, busy: Iterable[str]) -> Question | None:
        """Return a question of a directory as one of the session of a run that waits for the server that asks.

        Args:
            question: The question.
            session_id: Session of the run; a subagent of it may wait as well.
            busy: The busy sessions of the directory.
        """
        for name in busy:
            if session_id in await self._line(name) and await self._waits_for_server(name, question.server):
                return _as_of(question, name)
        return None

    async def assigned(self, question: Question, session_id: str, directory: str) -> Question | None:
        """Return a question of a directory as one of a session, if the session waits for the server that asks.

        OpenCode 2 does not know which session an MCP server asks for. The session that calls a tool of the server does
        not go on before the answer.

        Args:
            question: From ``find``.
            session_id: The session that is to be answered for.
            directory: That of the session.
        """
        if not await self.still_waits(question, directory):
            return None
        is_waiting = await self._waits_for_server(session_id, question.server)
        return _as_of(question, session_id) if is_waiting else None

    async def _waits_for_server(self, session_id: str, server: str) -> bool:
        """Return True if a tool call runs in a session that may be one of an MCP server (``session.messages``)."""
        try:
            page = await self._client.session_messages(session_id, limit=RECENT_MESSAGES)
        except NotFound:
            return False
        calls = [call for message in page.items for call in message.tool_calls]
        return any(_may_call(call, server) for call in calls)

    async def wait_closed(self, request: PendingRequest, directory: str, seconds: float) -> bool:
        """Wait until a request is answered, by whomever, but no longer than given; say whether it is.

        Raises:
            BackendError: OpenCode could not be asked.
        """
        with self._hub.listen(request.session_id) as listener:
            if not await self._is_open(request, directory):
                return True
            deadline = anyio.current_time() + seconds
            while (left := deadline - anyio.current_time()) > 0:
                events = await listener.wait(left)
                if any(isinstance(event, CLOSERS) for event in events):
                    return not await self._is_open(request, directory)
        return False

    async def _is_open(self, request: PendingRequest, directory: str) -> bool:
        found = await self.find(request.request_id, [directory])
        return found is not None and await self.still_waits(found, directory)

    async def find(self, request_id: str, directories: Sequence[str]) -> OpenRequest | None:
        """Return the request of an id, also of a past run, from the event stream or the lists of the directories."""
        for request in self._hub.asked():
            if request.id == request_id:
                return request
        for directory in directories:
            for request in await self.listed(directory):
                if request.id == request_id:
                    return request
        return None

    async def still_waits(self, request: OpenRequest, directory: str) -> bool:
        """Return True if OpenCode still waits for an answer (``session.status``, ``session.message``).

        Args:
            request: From ``find``.
            directory: That of the session that asks.
        """
        if is_of_directory(request) or _outlasts_work(request):
            return any(item.id == request.id for item in await self._client.questions(directory))
        if request.session_id not in await self._client.session_status(directory):
            return False
        return await self._described(request, subagent=False) is not None

    async def lineage(self, session_id: str) -> list[str]:
        """Return the session and its parents, up to the one that has none (``session.get``).

        Raises:
            BackendFailed: It has more than ``DEEPEST_SUBAGENT`` of them, so it is not known what was decided for the
                topmost one.
            BackendError: OpenCode could not be asked.
        """
        line = await self._line(session_id)
        if len(line) > DEEPEST_SUBAGENT:
            raise BackendFailed(
                f"The session {session_id} has more than {DEEPEST_SUBAGENT} sessions above it.",
                hint="Nothing that it asks is answered here. opencode_abort stops it.",
            )
        return line

    async def _line(self, session_id: str) -> list[str]:
        """Return the session and its parents, the topmost left out where there are very many.

        The hub may know the lower part alone, for instance after a restart of the bridge, so the last one is asked for.
        """
        line = self._hub.lineage(session_id)
        while len(line) <= DEEPEST_SUBAGENT:
            parent = await self._parent(line[-1])
            if not parent or parent in line:
                break
            self._hub.adopt(line[-1], parent)
            line = self._hub.lineage(session_id)
        return line

    async def _parent(self, session_id: str) -> str:
        """Return the parent of a session; empty for one that is no subagent, and for one that was deleted."""
        if session_id in self._topmost:
            return ""
        try:
            session = await self._client.session_get(session_id)
        except NotFound:
            # Deleted, which stops nothing: it may still be busy, and ask.
            return ""
        if not session.parent_id:
            self._topmost[session_id] = True
        return session.parent_id or ""

    async def _described(self, request: OpenRequest, *, subagent: bool) -> PendingRequest | None:
        """Describe a request with the input of the tool call that asks; ``None`` if that has ended."""
        try:
            call = await self._call(request)
        except NotFound:
            return None
        return None if call and call.has_ended else describe(request, call, subagent=subagent)

    async def _call(self, request: OpenRequest) -> ToolPart | None:
        """Return the tool call that asked (``session.message``); ``None`` for a request without one, which is accepted.

        Raises:
            NotFound: The message that it was of is gone.
        """
        if request.tool is None:
            return None
        return await self._client.tool_call(request.session_id, request.tool.message_id, request.tool.call_id)


def is_of_directory(request: OpenRequest) -> TypeGuard[Question]:
    """Return True for a question of which OpenCode knows the directory and not the session."""
    return isinstance(request, Question) and request.of_directory


def _outlasts_work(request: OpenRequest) -> bool:
    return isinstance(request, Question) and request.of_client


def _as_of(question: Question, session_id: str) -> Question:
    return question.model_copy(update={"session_id": session_id})


def _may_call(part: ToolPart, server: str) -> bool:
    """Return True for a running call of a tool that an MCP server has, or of a script that may call one."""
    is_tool_of_server = part.tool.startswith(f"{UNNAMED.sub('_', server)}_")
    return not part.has_ended and (part.tool == CODE_TOOL or is_tool_of_server)
