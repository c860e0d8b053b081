"""Stops runs that exceed their limits, also while nobody waits for them.

One task watches each run that has limits, from before its prompt is sent until it has ended. An event about a new
message of the assistant, which is a new step of the model, makes it read the cost and the steps of the run; so does a
gap in the events, or a silence, since OpenCode loses an event now and then.

A step that has begun is needed to exceed a limit of steps or cost. So a run that ends with its last allowed step is
complete, and one that needs another step is stopped when that begins.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

import anyio
from anyio.abc import TaskGroup

from opencode_mcp.bounded_dict import BoundedDict
from opencode_mcp.errors import BridgeError, NotFound
from opencode_mcp.events.hub import Hub
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary import backend_events
from opencode_mcp.runs.enforcement.usage import RunUsage
from opencode_mcp.runs.enforcement.working_time import WorkingTime
from opencode_mcp.runs.limits import MINUTE_SECONDS, Used, excess
from opencode_mcp.runs.outcome.run_report import PendingRequest
from opencode_mcp.runs.prompting.message_ids import age_of
from opencode_mcp.runs.requests.open_requests import Requests
from opencode_mcp.runs.run_age import run_age
from opencode_mcp.runs.run_life import Runs
from opencode_mcp.runs.run_record import Run
from opencode_mcp.runs.session_stopping import SessionTree

logger = logging.getLogger(__name__)

WATCHED_KEPT = 1000
SILENCE_SECONDS = 10.0
"""Time without an event of the run after which it is read."""
END_IDLE_SECONDS = 30.0
"""Time for which the session of a run that has ended is idle; it is idle too before OpenCode has the prompt."""
RETRY_PAUSE_SECONDS = 1.0
SharedLimit = Callable[[float], Awaitable[str]]
"""Takes the cost of a run so far, in US dollars; returns a sentence on a limit of several runs, if they exceed it."""
ASKING = (backend_events.PermissionAsked, backend_events.QuestionAsked, backend_events.RequestClosed)


class LimitWatch:
    """Watches the runs that have limits.

    Args:
        hub: Delivers the events of the runs.
        runs: Stops runs.
        requests: Knows which runs wait for an answer.
        task_group: Runs the tasks, which outlive the calls that start runs.
    """

    def __init__(self, hub: Hub, runs: Runs, requests: Requests, task_group: TaskGroup) -> None:
        self._hub = hub
        self._runs = runs
        self._requests = requests
        self._task_group = task_group
        self._watched = BoundedDict[str, bool](WATCHED_KEPT)
        self._shared = BoundedDict[str, SharedLimit](WATCHED_KEPT)
        """Limits that runs share with others, by the ids of their prompts."""

    def add(self, run: Run) -> None:
        """Watch a run until it has ended; one without limits, and one that is watched already, needs no task.

        The prompt of a slash command of OpenCode 2 has no id at first; its run is added again when it has one.
        """
        has_limits = run.limits or run.message_id in self._shared
        if has_limits and run.message_id and run.message_id not in self._watched:
            self._watched[run.message_id] = True
            self._task_group.start_soon(self._watch, run)

    def share(self, run: Run, limit: SharedLimit) -> None:
        """Hold a run to a limit of cost that it shares with others, beside its own limits."""
        self._shared[run.message_id] = limit
        self.add(run)

    async def _watch(self, run: Run) -> None:
        try:
            client = OpenCodeClient(await self._hub.ensure())
            await _Watcher(client, self._hub, self._runs, self._requests, run, self._shared).watch()
        except BridgeError as error:
            logger.warning("the limits of the run in %s are not watched any more: %s", run.session_id, error)
        finally:
            self._watched.pop(run.message_id, None)
            self._shared.pop(run.message_id, None)


class _Watcher:
    """Watch of one run."""

    def __init__(
        self,
        client: OpenCodeClient,
        hub: Hub,
        runs: Runs,
        requests: Requests,
        run: Run,
        shared: Mapping[str, SharedLimit],
    ) -> None:
        self._client = client
        self._hub = hub
        self._runs = runs
        self._requests = requests
        self._run = run
        self._shared = shared
        self._usage = RunUsage(client, run)
        self._time = WorkingTime(anyio.current_time())
        self._new_steps: set[str] = set()
        """Sessions with a step that was not read yet."""
        self._is_unsure = True
        """True if events may be missing, so that everything is read again."""
        self._requests_stale = True
        """True if the requests of the run may have changed."""
        self._idle_since: float | None = None

    async def watch(self) -> None:
        """Watch the run until it has ended or was stopped, or OpenCode is gone."""
        with self._hub.listen(self._run.session_id) as listener:
            await self._begin()
            while not await self._enforce():
                events = await listener.wait(self._read_timeout())
                if any(isinstance(event, backend_events.Lost) for event in events):
                    return
                self._is_unsure = self._is_unsure or not events
                self._notice(events)

    async def _begin(self) -> None:
        """Take the working time of a run that another bridge has started: its age without that of its open requests."""
        asked = await self._waited_for()
        now = int(self._client.clock.now() * 1000)
        waited = max((age_of(request.request_id, now) for request in asked), default=0)
        self._time = WorkingTime(anyio.current_time(), max(run_age(self._client, self._run) - waited, 0))
        self._time.note(anyio.current_time(), waits=bool(asked))

    def _read_timeout(self) -> float:
        """Return the seconds after which the run is read without an event."""
        minutes = self._run.limits.max_minutes
        if minutes is None or self._time.is_paused:
            return SILENCE_SECONDS
        left = minutes * MINUTE_SECONDS - self._time.seconds(anyio.current_time())
        return min(max(left, 0), SILENCE_SECONDS)

    def _notice(self, events: Sequence[backend_events.Event]) -> None:
        for event in events:
            match event:
                case backend_events.MessageChanged(session_id=session_id, message=message):
                    if self._usage.note(message):
                        self._new_steps.add(session_id)
                case backend_events.Gap():
                    self._is_unsure = True
                case backend_events.Idle(session_id=session_id) if session_id == self._run.session_id:
                    self._is_unsure = True
                case _:
                    self._requests_stale = self._requests_stale or isinstance(event, ASKING)

    async def _enforce(self) -> bool:
        """Read what may have changed, and stop the run if it exceeds a limit; return True if there is no more to do.

        A reading that fails is repeated: OpenCode may only be slow, and the stream tells when it is gone.
        """
        try:
            if reason := await self._excess():
                return await self._stop(reason)
            return self._is_unsure and await self._read_end()
        except NotFound:
            return True  # The session was deleted.
        except BridgeError as error:
            logger.info("could not compare %s with its limits: %s", self._run.session_id, error)
            self._is_unsure = True
            await anyio.sleep(RETRY_PAUSE_SECONDS)
            return False

    async def _excess(self) -> str:
        """Return a sentence on the limit that the run exceeds; empty if it exceeds none.

        A step that an event has reported was begun, so steps are counted before anything is read: a model that answers
        at once begins the next one in the time of a request.
        """
        return excess(self._run.limits, self._used()) or await self._excess_when_read()

    async def _excess_when_read(self) -> str:
        has_new_cost = await self._read_messages()
        await self._read_requests()
        limit = self._shared.get(self._run.message_id) if has_new_cost else None
        return excess(self._run.limits, self._used()) or (await limit(self._usage.cost) if limit else "")

    async def _read_messages(self) -> bool:
        """Read the messages of the run, if they count and there may be new ones; return True if they were read."""
        counts = self._run.limits.counts_messages or self._run.message_id in self._shared
        if not counts or not (self._is_unsure or self._new_steps):
            return False
        await self._usage.read(await self._sessions_to_read())
        self._new_steps.clear()
        return True

    async def _read_requests(self) -> None:
        if self._run.limits.max_minutes is not None and (self._is_unsure or self._requests_stale):
            waits = bool(await self._waited_for())
            self._time.note(anyio.current_time(), waits=waits)
            self._requests_stale = False

    async def _waited_for(self) -> list[PendingRequest]:
        """Return the requests that the run waits for.

        What a client asks is none of them: a caller could stop the clock with a form of its own.
        """
        asked = await self._requests.open(self._run.directory, self._run.session_id)
        return [request for request in asked if not request.of_client]

    async def _sessions_to_read(self) -> set[str]:
        if not self._is_unsure:
            return set(self._new_steps)
        levels = await SessionTree(self._client, self._run.session_id, self._run.directory).levels()
        return {session_id for level in levels for session_id in level}

    def _used(self) -> Used:
        return Used(self._usage.cost, self._usage.steps, self._time.seconds(anyio.current_time()))

    async def _read_end(self) -> bool:
        """Read whether the run goes on; return True once its session has been idle for ``END_IDLE_SECONDS``."""
        self._is_unsure = False
        is_busy = self._run.session_id in await self._client.session_status(self._run.directory)
        if is_busy or self._runs.is_verified_now(self._run):
            self._idle_since = None
            return False
        now = anyio.current_time()
        self._idle_since = self._idle_since or now
        return now - self._idle_since >= END_IDLE_SECONDS

    async def _stop(self, reason: str) -> bool:
        """Stop the run; return False if a part of it is still busy."""
        run = self._run
        # A call that waits for the run may see its end before the stop returns.
        self._runs.known.stop_reasons[run.message_id] = reason
        stopped = await self._runs.stop(run, reason=reason)
        if not stopped.was_running:
            self._runs.known.stop_reasons.pop(run.message_id, None)
            return True
        logger.info("stopped %s: %s", run.session_id, reason)
        await self._note_reason(reason)
        return not stopped.busy

    async def _note_reason(self, reason: str) -> None:
        """Write the reason into the note of the run, for other bridges; a failure is no loss."""
        try:
            async with self._runs.turns.alone_in(self._run.session_id):
                await self._write_reason(reason)
        except BridgeError as error:
            logger.info("could not note why %s was stopped: %s", self._run.session_id, error)

    async def _write_reason(self, reason: str) -> None:
        """Write the reason into the note of the run, unless the session has the note of another one by now."""
        notes = self._runs.notes
        session = await self._client.session_get(self._run.session_id)
        for note in notes.of(session):
            if note.message_id == self._run.message_id:
                noted = replace(note, stopped=reason)
                await notes.write(self._client, session, noted)
                notes.remember(session.id, noted)
