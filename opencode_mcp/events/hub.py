"""One event stream in, many listeners out.

The hub keeps one stream to OpenCode, whatever the number of sessions and listeners, started when somebody first needs
it. It folds events into small per-session states and hands each to those who listen to its session or to a parent.
A listener that lags loses events and is told so by a ``Gap``; it never slows the others.
"""

import logging
from collections import OrderedDict, deque
from collections.abc import Generator
from contextlib import aclosing, contextmanager

import anyio
from anyio.abc import TaskGroup

from opencode_mcp.errors import BackendUnavailable
from opencode_mcp.events.session_state import SessionState, fold
from opencode_mcp.events.stream import follow_stream
from opencode_mcp.events.wire import (
    Event,
    Gap,
    InstanceDisposed,
    Lost,
    PartChanged,
    PermissionAsked,
    QuestionAsked,
    RequestClosed,
    SessionChanged,
    SessionDeleted,
)
from opencode_mcp.launcher.connection import Connection
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.models import Permission, Question
from opencode_mcp.opencode.transport import Transport

logger = logging.getLogger(__name__)

BACKLOG = 1000
REMEMBERED_SESSIONS = 2000
REMEMBERED_REQUESTS = 1000
CONNECT_DEADLINE = 15.0
EVERYTHING = ""
"""What to listen to in order to hear of every session."""


class Listener:
    """The events of one session and its subagents, waiting to be read."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._arrived = anyio.Event()

    def put(self, event: Event) -> None:
        """Add an event; a full backlog becomes one ``Gap``."""
        if len(self._events) >= BACKLOG:
            self._events.clear()
            event = Gap(event.session_id)
        self._events.append(event)
        self._arrived.set()

    def take(self) -> list[Event]:
        """Take all that waits, without waiting."""
        events = list(self._events)
        self._events.clear()
        self._arrived = anyio.Event()
        return events

    async def wait(self, seconds: float) -> list[Event]:
        """Take all that waits; wait for the first one, but no longer than given."""
        with anyio.move_on_after(max(seconds, 0)):
            await self._arrived.wait()
        return self.take()


class Hub:
    """Fans one event stream out.

    Args:
        connection: Finds the server; the hub never makes it start one by coming back.
        task_group: Lives as long as the hub; the stream's task runs in it.
    """

    def __init__(self, connection: Connection, task_group: TaskGroup) -> None:
        self._connection = connection
        self._task_group = task_group
        self._transport: Transport | None = None
        self._standing = anyio.Event()
        self._lock = anyio.Lock()
        self._listeners: dict[str, list[Listener]] = {}
        self._states: OrderedDict[str, SessionState] = OrderedDict()
        self._parents: OrderedDict[str, str] = OrderedDict()
        self._asked: OrderedDict[str, Permission | Question] = OrderedDict()

    @property
    def follows(self) -> bool:
        """Whether a stream was opened, and OpenCode is not known to be gone since."""
        return self._transport is not None

    async def ensure(self) -> Transport:
        """Have the stream stand before anything is started that it should tell of.

        Returns:
            The door to the server whose stream it is.

        Raises:
            BackendUnavailable: OpenCode opened no stream in time.
        """
        async with self._lock:
            transport = await self._connection.transport()
            if self._transport is not transport:
                self._transport, self._standing = transport, anyio.Event()
                self._task_group.start_soon(self._run, transport)
            standing = self._standing
        with anyio.move_on_after(CONNECT_DEADLINE) as scope:
            await standing.wait()
        if scope.cancelled_caught or self._transport is not transport:
            raise BackendUnavailable(f"OpenCode at {transport.endpoint.url} opened no event stream.")
        return transport

    async def _run(self, transport: Transport) -> None:
        async with aclosing(follow_stream(OpenCodeClient(transport))) as events:
            async for event in events:
                if self._transport is not transport:
                    return
                self._receive(event, transport)

    def _receive(self, event: Event, transport: Transport) -> None:
        match event:
            case Gap():
                for state in self._states.values():
                    state.forget()
                self._standing.set()
                self._tell_all(event)
            case Lost():
                logger.warning("OpenCode is gone: %s", event.reason)
                self._transport = None
                self._connection.forget(transport)
                self._asked.clear()
                self._standing.set()
                self._tell_all(event)
            case InstanceDisposed():
                transport.reopen_projects()
                self._tell_all(Gap(""))
            case _:
                self._fold(event)
                self._dispatch(event)

    def _fold(self, event: Event) -> None:
        self._keep_requests(event)
        if isinstance(event, SessionDeleted):
            self._states.pop(event.session_id, None)
            return
        if isinstance(event, SessionChanged) and event.session.parent_id:
            self.adopt(event.session_id, event.session.parent_id)
        if isinstance(event, PartChanged) and (child := event.child_session):
            # OpenCode loses the event of a session's creation now and then.
            self.adopt(child, event.session_id)
        if event.session_id:
            fold(self.state(event.session_id), event)

    def _keep_requests(self, event: Event) -> None:
        match event:
            case PermissionAsked(permission=request) | QuestionAsked(question=request):
                self._asked[request.id] = request
                if len(self._asked) > REMEMBERED_REQUESTS:
                    self._asked.popitem(last=False)
            case RequestClosed(request_id=request_id):
                self._asked.pop(request_id, None)
            case SessionDeleted(session_id=session_id):
                for request in [item for item in self._asked.values() if item.session_id == session_id]:
                    del self._asked[request.id]
            case _:
                pass

    def _dispatch(self, event: Event) -> None:
        for session_id in (*self.lineage(event.session_id), EVERYTHING):
            for listener in self._listeners.get(session_id, ()):
                listener.put(event)

    def _tell_all(self, event: Event) -> None:
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.put(event)

    def state(self, session_id: str) -> SessionState:
        """What the stream has said of a session since it last stood."""
        state = self._states.setdefault(session_id, SessionState())
        self._states.move_to_end(session_id)
        if len(self._states) > REMEMBERED_SESSIONS:
            self._states.popitem(last=False)
        return state

    def asked(self) -> list[Permission | Question]:
        """The requests that were seen asked and not seen closed, oldest first.

        They outlast a gap, so one may be closed meanwhile: whoever acts on it checks that its tool call still waits.
        """
        return list(self._asked.values())

    def adopt(self, session_id: str, parent_id: str) -> None:
        """Remember whose subagent a session is, so that its parents' listeners hear of it."""
        children = self.state(parent_id).children
        if session_id not in children:
            children.append(session_id)
        self._parents[session_id] = parent_id
        if len(self._parents) > REMEMBERED_SESSIONS:
            self._parents.popitem(last=False)

    def lineage(self, session_id: str) -> list[str]:
        """The session, its parent, and so on up to the root."""
        line = {session_id: None}
        parent = self._parents.get(session_id)
        while parent and parent not in line:
            line[parent] = None
            parent = self._parents.get(parent)
        return list(line)

    @contextmanager
    def listen(self, session_id: str) -> Generator[Listener]:
        """Hear of a session and its subagents, or of ``EVERYTHING``, while the block runs."""
        listener = Listener()
        self._listeners.setdefault(session_id, []).append(listener)
        try:
            yield listener
        finally:
            self._listeners[session_id].remove(listener)
            if not self._listeners[session_id]:
                del self._listeners[session_id]
