"""Hub: one event stream from OpenCode, distributed to any number of listeners.

Design. Runs, subscriptions and tools all want to know what happens in some sessions. The hub keeps one stream of the
events of every directory (``Adapter.events``), opened when it is first needed. It folds each event into a small state
per session (``session_state``) and passes it to the listeners of that session, of its parents, and of ``EVERYTHING``. A
subagent works in a child session, so a listener of the parent also gets the child's events; the hub learns the relation
from the event of the session's creation (``SessionChanged``) and, because OpenCode sometimes loses that event, from the
tool call that started the child.

Events are hints. They tell a listener to read now, and almost every decision is made on what a GET returns
(``runs/following/follow.py`` lists the exceptions). Therefore the hub may drop events, and has three ways to say so:

- ``Gap``: events may be missing, after a reconnect, a full backlog, or a disposed instance. Read the state again.
- ``Lost``: OpenCode is gone. The hub drops the connection's transport, so that the next call searches for a server.
- ``SessionState.complete`` is False: the state was not followed from the session's creation on.

Rejected alternatives:

- A stream per session or per directory: OpenCode sends each event to every stream, and fifty runs would read fifty
  copies. A stream that is opened for a run also misses the events before it is connected.
- Polling alone: a run would notice its end two seconds late, and every run would cost requests while nothing happens.
- Unbounded queues: a listener that does not read (a host that hangs) would keep the whole stream in memory.
- To block the stream for a slow listener: one host would delay the runs of all others.
- To decide by events: they are lost at reconnects, and OpenCode 1 sends stale ones about the end of a run.

Invariants:

- At most one stream is open. The task of an older server's stream ends when its next event arrives.
- A listener's backlog, the states, the parents and the open requests are all bounded; the oldest entries are dropped.
- A listener never slows the others, and ``put`` never waits.
- ``ensure`` returns after the stream is connected, so a run that starts then misses no event of its own.
- The hub reconnects to the same server only. It never starts one; only a call does, through the connection.
"""

import logging
from collections import Counter, deque
from collections.abc import Generator
from contextlib import aclosing, contextmanager

import anyio
from anyio.abc import TaskGroup

from opencode_mcp.bounded_dict import BoundedDict
from opencode_mcp.errors import BackendUnavailable
from opencode_mcp.events import reconnecting_stream
from opencode_mcp.events.answer_waits import AnswerWaits
from opencode_mcp.events.interrupted_prompts import InterruptedPrompts
from opencode_mcp.events.session_parents import SessionParents
from opencode_mcp.events.session_state import SessionState, fold
from opencode_mcp.launcher.connection import Connection
from opencode_mcp.launcher.server_age import server_age
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.transport import Transport
from opencode_mcp.opencode.vocabulary.backend_events import (
    Event,
    Gap,
    Idle,
    InstanceDisposed,
    Lost,
    MessageChanged,
    PartChanged,
    PermissionAsked,
    ProjectChanged,
    QuestionAsked,
    RequestClosed,
    SessionChanged,
    SessionDeleted,
)
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import Permission, Question

logger = logging.getLogger(__name__)

BACKLOG_EVENTS = 1000
REMEMBERED_SESSIONS = 2000
REMEMBERED_REQUESTS = 1000
CONNECT_TIMEOUT_SECONDS = 15.0
IDLE = "idle"
EVERYTHING = ""
"""Key for the listeners of every session."""


class Listener:
    """Queue of the events of one session and its subagents."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._arrived = anyio.Event()

    def put(self, event: Event) -> None:
        """Add an event; a full backlog becomes one ``Gap``."""
        if len(self._events) >= BACKLOG_EVENTS:
            self._events.clear()
            event = Gap(event.session_id)
        self._events.append(event)
        self._arrived.set()

    def take(self) -> list[Event]:
        """Return all queued events, without a wait."""
        events = list(self._events)
        self._events.clear()
        self._arrived = anyio.Event()
        return events

    async def wait(self, seconds: float) -> list[Event]:
        """Return all queued events; wait up to ``seconds`` for the first one."""
        with anyio.move_on_after(max(seconds, 0)):
            await self._arrived.wait()
        return self.take()


class Hub:
    """Distributes one event stream.

    Args:
        connection: Finds the server; the hub never makes it start one to reconnect.
        task_group: Runs the stream's task; it lives as long as the hub.
    """

    def __init__(self, connection: Connection, task_group: TaskGroup) -> None:
        self._connection = connection
        self._task_group = task_group
        self._transport: Transport | None = None
        self._connected = anyio.Event()
        self._lock = anyio.Lock()
        self._listeners: dict[str, list[Listener]] = {}
        self._states = BoundedDict[str, SessionState](REMEMBERED_SESSIONS)
        self._parents = SessionParents()
        self._places = BoundedDict[str, str](REMEMBERED_SESSIONS)
        """The directories of sessions, by the events that name them."""
        self._asked = BoundedDict[str, Permission | Question](REMEMBERED_REQUESTS)
        self.interrupted = InterruptedPrompts()
        """Prompts on which OpenCode worked when it went away."""
        self.servers_found = 0
        """Number of times that a server was found and its stream begun: the next may be an OpenCode started again."""
        self.answer_waits = AnswerWaits()
        """Time that sessions waited for answers."""
        self._connects = 0
        """Number of times that a stream was connected, also again to the same server."""

    @property
    def reconnects(self) -> int:
        """Return how many times the stream was opened again."""
        return max(self._connects - 1, 0)

    def work_by_state(self) -> Counter[str]:
        """Count the sessions at work that the events have shown, without subagents.

        Each is counted under OpenCode's word for its status, or under ``waiting`` if it waits for an answer.
        """
        waiting = {self.lineage(request.session_id)[-1] for request in self._asked.values()}
        found: Counter[str] = Counter()
        for session_id, state in self._states.items():
            if len(self.lineage(session_id)) == 1 and state.status and state.status.type != IDLE:
                found["waiting" if session_id in waiting else state.status.type] += 1
        return found

    @property
    def follows(self) -> bool:
        """Return True if a stream was opened, and OpenCode is not known to be gone since."""
        return self._transport is not None

    async def ensure(self) -> Transport:
        """Connect the stream, so that no event of what starts next is missed.

        Returns:
            The transport to the server of the stream.

        Raises:
            BackendUnavailable: OpenCode opened no stream in time.
        """
        async with self._lock:
            transport = await self._connection.transport()
            if self._transport is not transport:
                self.interrupted.note_server(transport, self._prompts_at_work())
                self._transport, self._connected = transport, anyio.Event()
                self.servers_found += 1
                self._task_group.start_soon(self._run, transport)
            connected = self._connected
        with anyio.move_on_after(CONNECT_TIMEOUT_SECONDS) as scope:
            await connected.wait()
        if scope.cancelled_caught or self._transport is not transport:
            raise BackendUnavailable(f"OpenCode at {transport.endpoint.url} opened no event stream.")
        return transport

    async def server_age(self) -> float | None:
        """Return the seconds since the process of the server began; ``None`` if this is not known.

        Raises:
            BackendError: OpenCode could not be read.
        """
        if self._transport is None:
            return None
        health = await OpenCodeClient(self._transport).health()
        return await server_age(self._transport.endpoint, health.pid)

    async def _run(self, transport: Transport) -> None:
        is_known = transport.endpoint.process is not None
        gone_seconds = reconnecting_stream.GONE_SECONDS if is_known else reconnecting_stream.UNKNOWN_GONE_SECONDS
        async with aclosing(reconnecting_stream.follow_stream(OpenCodeClient(transport), gone_seconds)) as events:
            async for event in events:
                if self._transport is not transport:
                    return
                self._receive(event, transport)

    def _receive(self, event: Event, transport: Transport) -> None:
        match event:
            case Gap():
                self._connects += 1
                for state in self._states.values():
                    state.forget()
                self.answer_waits.note_gap(anyio.current_time())
                self._connected.set()
                self._broadcast(event)
            case Lost():
                logger.warning("OpenCode is gone: %s", event.reason)
                self._transport = None
                self._connection.forget(transport)
                self._asked.clear()
                self.answer_waits.note_gap(anyio.current_time())
                self._connected.set()
                self._broadcast(event)
            case InstanceDisposed():
                transport.reopen_projects()
                self._broadcast(Gap(""))
            case ProjectChanged(reopened=reopened):
                if reopened:
                    transport.note_change_in(event.place)
                self._dispatch(event)
            case _:
                self._fold(event)
                self._dispatch(event)

    def _fold(self, event: Event) -> None:
        self.interrupted.note_event(event.session_id)
        self._keep_requests(event)
        if isinstance(event, SessionDeleted):
            self._states.pop(event.session_id, None)
            self._places.pop(event.session_id, None)
            return
        if event.session_id and event.place:
            self._places[event.session_id] = event.place
        self._note_parent(event)
        if event.session_id:
            now = anyio.current_time()
            self._note_times(event, now)
            fold(self.kept_state(event.session_id), event, now)

    def _note_parent(self, event: Event) -> None:
        """Note whose subagent a session is, if an event shows it."""
        if isinstance(event, SessionChanged) and event.session.parent_id:
            self.adopt(event.session_id, event.session.parent_id)
        if isinstance(event, PartChanged) and event.child_session:
            # OpenCode sometimes loses the event of a session's creation.
            self.adopt(event.child_session, event.session_id)

    def _note_times(self, event: Event, now: float) -> None:
        match event:
            case PermissionAsked(permission=request) | QuestionAsked(question=request):
                self._note_wait(request, event.session_id, now)
            case RequestClosed(request_id=request_id):
                self.answer_waits.end(request_id, now)
            case MessageChanged(message=message) if message.role == "user":
                self._note_prompt(event.session_id, message.id)
            case MessageChanged(message=message) if message.parent_id:
                if message.parent_id not in self.state(event.session_id).prompts:
                    self.answer_waits.restart(event.session_id, message.parent_id, is_whole=False)
            case Idle():
                self.answer_waits.end_all_of(event.session_id, now)
            case _:
                pass

    def _note_prompt(self, session_id: str, message_id: str) -> None:
        state = self.state(session_id)
        if message_id in state.prompts:
            return
        # One that comes while the session works on another one joins that work.
        if state.working_on:
            self.answer_waits.join(session_id, message_id)
        else:
            self.answer_waits.restart(session_id, message_id)

    def _keep_requests(self, event: Event) -> None:
        match event:
            case PermissionAsked(permission=request) | QuestionAsked(question=request):
                self._asked[request.id] = request
            case RequestClosed(request_id=request_id):
                self._asked.pop(request_id, None)
            case SessionDeleted(session_id=session_id):
                for request in [item for item in self._asked.values() if item.session_id == session_id]:
                    del self._asked[request.id]
            case _:
                pass

    def _dispatch(self, event: Event) -> None:
        for session_id in dict.fromkeys((*self.lineage(event.session_id), EVERYTHING)):
            for listener in self._listeners.get(session_id, ()):
                listener.put(event)

    def _broadcast(self, event: Event) -> None:
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.put(event)

    def wake(self) -> None:
        """Make every listener look at once, for instance because its wait has to end."""
        self._broadcast(Gap(""))

    def state(self, session_id: str) -> SessionState:
        """Return the state of a session, folded from the stream since it was last connected, to be read only.

        Nothing is kept for a session of which there was no event: its state is empty, and another one each time.
        """
        return self._states.get(session_id) or SessionState()

    def kept_state(self, session_id: str) -> SessionState:
        """Return the state of a session to change it, or to see it change; the hub keeps it from now on."""
        state = self._states[session_id] = self.state(session_id)
        return state

    def _prompts_at_work(self) -> dict[str, str]:
        """Return the prompts that OpenCode works on, by session."""
        return {session_id: state.working_on for session_id, state in self._states.items() if state.working_on}

    def place_of(self, session_id: str) -> str:
        """Return the directory of a session; empty if no event has named it."""
        return self._places.get(session_id, "")

    def note_open(self, request: Permission | Question, now: float) -> None:
        """Note that a request was read as open: its event may have been missed."""
        self._note_wait(request, request.session_id, now)

    def _note_wait(self, request: Permission | Question, session_id: str, now: float) -> None:
        """Note that a session waits for an answer; no run waits for what a client asks."""
        if not request.of_client:
            self.answer_waits.begin(request.id, self.lineage(session_id), now)

    def asked(self) -> list[Permission | Question]:
        """Return the open requests that were seen, oldest first.

        They survive a gap, so one may have been closed meanwhile: the caller checks that its tool call still waits.
        """
        return list(self._asked.values())

    def adopt(self, session_id: str, parent_id: str) -> None:
        """Store whose subagent a session is, so that the parents' listeners get its events."""
        children = self.kept_state(parent_id).children
        if session_id not in children:
            children.append(session_id)
        self._parents.note(session_id, parent_id)

    def lineage(self, session_id: str) -> list[str]:
        """Return the session, its parent, and so on up to the root."""
        return self._parents.lineage(session_id)

    @contextmanager
    def listen(self, session_id: str) -> Generator[Listener]:
        """Listen to a session and its subagents, or to ``EVERYTHING``, for the length of the block."""
        listener = Listener()
        self._listeners.setdefault(session_id, []).append(listener)
        try:
            yield listener
        finally:
            self._listeners[session_id].remove(listener)
            if not self._listeners[session_id]:
                del self._listeners[session_id]
