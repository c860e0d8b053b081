"""Follows one run: read its state, sleep until an event hints at a change, read it again.

A follower is the only loop that waits for a run. It ends when the run has ended, when the deadline has passed, or when
the run waits for an answer that nobody gives. It returns an ``Observation``; the caller makes the report of it
(``reporter.py``), once.

Each round has four parts:

1. Read (``_read``). The map of busy sessions, and for an idle session its last messages; for a busy one the open
   requests, where an event or a silence says that they may have changed. ``state.py`` turns this into a state.
2. Respond (``_is_over``). While the run waits for an answer, ``respond`` is called with the open requests: policy
   answers, then a person by a form (``answers/runs_under_policy.py``, ``server/waiting/wait.py``). If something was
   answered, the follower continues; it keeps its listener, so that no event is lost meanwhile.
3. Sleep (``_sleep``). An event of ``HINTS`` ends the sleep at once. Without events it ends after two seconds, then
   four, then eight, then every ten: OpenCode loses an event now and then. An idle session whose last answer is not
   complete is read every 50 ms, since OpenCode usually completes it within 20.
4. Progress. Events become lines (``progress_lines.py``), at most four a second, at least one every ten seconds, because
   hosts give up on a call that is silent.

Invariants:

* Events only wake the follower. What the run's state is comes from GETs. There are two exceptions. A good end that the
  stream delivered in full, of a run whose messages were read beside it, or while the model wrote its first answer, is
  taken from there (``read_ahead.py``). And the first read of a run that is waited for is left out while the stream
  shows OpenCode at work on it.
* A read that fails in the middle of a wait is not a verdict: OpenCode may only be slow. The first read must succeed.
* The client is bound to one server. If that server goes away, the run is lost for this follower (``Lost``). The
  next follower finds the run again, on whichever server answers then, from directory, session and message id alone.
* Cancelling a follower changes nothing in OpenCode.

Rejected:

* Waiting for ``session.idle``. A stale idle of the run before can follow the prompt, an aborted run has two, and a lost
  one would hang the call.
* One follower for several waiters of a run. It would save requests where two calls wait for one run, which is rare, and
  would need a life of its own beside the calls, with errors and cancellation to pass to each.
* Reading at a fixed rate. At 50 ms it costs OpenCode more than the run; at two seconds every run ends a second late.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from typing import Any

import anyio

from opencode_mcp.errors import BackendError, BridgeError
from opencode_mcp.events.hub import Hub, Listener
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary import backend_events
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session, SessionStatus
from opencode_mcp.runs.deadline import Deadline
from opencode_mcp.runs.following.abandoned_runs import abandoned_seconds
from opencode_mcp.runs.following.activity import CurrentTime, activity_on_record, activity_on_stream
from opencode_mcp.runs.following.progress_lines import Progress
from opencode_mcp.runs.following.progress_throttle import ProgressThrottle
from opencode_mcp.runs.following.read_ahead import ReadAhead, known_record
from opencode_mcp.runs.outcome.run_report import PendingRequest
from opencode_mcp.runs.outcome.state import ENDS, Evidence, State, advance, classify
from opencode_mcp.runs.prompting.message_ids import age_of
from opencode_mcp.runs.requests.open_requests import Requests
from opencode_mcp.runs.run_record import (
    Run,
    SessionRecord,
    all_answers,
    has_moved_on,
    is_cut_short,
    last_answers,
    latest_prompt,
    says_nothing,
    was_stopped_between,
)
from opencode_mcp.runs.session_history.history import is_copied

logger = logging.getLogger(__name__)

SendProgress = Callable[[str], Awaitable[None]]
"""Sends one line of progress to the host."""
Respond = Callable[[list[PendingRequest]], Awaitable[list[PendingRequest]]]
"""Answers a run's open requests as far as it can.

Returns the requests that the wait has to end for. An empty list means that the wait goes on, and that the run has to be
read again: something was answered, or a person was asked.
"""

# Seconds between two looks while the stream is silent, at first and at most, and while the last answer is unfinished.
FIRST_INTERVAL = 2.0
LONGEST_INTERVAL = 10.0
SETTLE_EVERY = 0.05
INBOX_RECHECK_SECONDS = 0.3
"""Seconds after which a prompt that is still in the inbox of an idle session will not begin by itself."""
HINTS = (
    backend_events.Idle,
    backend_events.Failed,
    backend_events.Gap,
    backend_events.Lost,
    backend_events.PermissionAsked,
    backend_events.QuestionAsked,
    backend_events.RequestClosed,
    backend_events.SessionDeleted,
)


async def no_progress(_line: str) -> None:
    """Send no progress."""


async def leave_open(requests: list[PendingRequest]) -> list[PendingRequest]:
    """Answer nothing."""
    return requests


@dataclass(frozen=True, slots=True)
class CheckedAnswer:
    """Answer of a completed run by a schema that was part of its prompt."""

    value: Any = None
    problem: str = ""
    """Reason why it does not fit the schema; empty if it fits."""
    is_whole_text: bool = False
    """True if the text of the answer says nothing else."""


@dataclass(slots=True)
class Observation:
    """State of a run as its follower saw it last, with everything that the report takes from it."""

    client: OpenCodeClient
    """Bound to the server that the run was seen on."""
    state: State = State.SUBMITTED
    answers: list[Message] = field(default_factory=list[Message])
    """The assistant's last messages, oldest first; read when the session is idle."""
    whole: bool = False
    """True if these are all of its messages since the prompt."""
    never_started: bool = False
    """True if the session is idle, and has the prompt in its inbox: it was never begun."""
    is_idle: bool = False
    """True if the session was idle, and no end of the run on record."""
    waits_behind: str | None = None
    """The prompt that OpenCode works on while the run's waits in the inbox, empty if it is not known; ``None`` if the
    run's prompt does not wait there."""
    copied: bool = False
    """True if a fork copied the prompt before its answer was complete: it goes on elsewhere, or ended there."""
    pending: list[PendingRequest] = field(default_factory=list[PendingRequest])
    """The requests that nobody has answered."""
    session_forms: list[str] = field(default_factory=list[str])
    """Ids of the open forms of clients in the session, for which the run does not wait."""
    status: SessionStatus | None = None
    """The session's status when it was seen busy last."""
    text: str = ""
    """Text that the model has written of its current answer, as far as the stream delivered it."""
    gone: str = ""
    """Reason why OpenCode is gone; empty while it is there."""
    removed: bool = False
    """True if OpenCode has removed the prompt: it was undone, and a later prompt made that final."""
    session_deleted: bool = False
    """True if the session was deleted, and the run with it."""
    goes_on_deleted: bool = False
    """True if OpenCode still worked in the deleted session, as OpenCode 1 does if it was not stopped before."""
    session: SessionRecord | None = None
    """The session's part of the report, where it was read ahead."""
    correction: Run | None = None
    """The run of the prompt that asked for a corrected answer, if that was seen; see ``schema_corrections.py``."""
    checked: CheckedAnswer | None = None
    """The answer, if it was checked because its schema was part of the prompt."""
    prompts: list[str] = field(default_factory=list[str])
    """Ids of the prompts of a run with a verification, oldest first; the observation is that of the last one."""
    verifying: str = ""
    """Line on the verification that a completed run waits for; its state is then that of a running one."""


class Follower:
    """Follows one run until it ends, needs an answer that nobody gives, or the deadline passes.

    Args:
        client: Reads the run's state.
        hub: Delivers the events that say when to read it.
        run: The run.
        send_progress: Gets the lines of progress.
        respond: Answers the run's requests.
    """

    def __init__(
        self,
        client: OpenCodeClient,
        hub: Hub,
        run: Run,
        send_progress: SendProgress = no_progress,
        respond: Respond = leave_open,
    ) -> None:
        self._client = client
        self._hub = hub
        self._run = run
        self._send_progress = send_progress
        self._respond = respond
        self._requests = Requests(client, hub)
        draft = hub.state(run.session_id).draft
        self._progress = Progress(
            run.session_id, run.message_id, run.directory, lambda: client.clock.now() * 1000, draft
        )
        self._throttle = ProgressThrottle(anyio.current_time())
        self._ahead = ReadAhead(client, run)
        self._seen = Observation(client)
        self._idle_since: float | None = None
        self._was_busy = False
        self._is_copy_checked = False
        self._requests_stale = True
        self._superseded: bool | None = None
        """True if the run has ended and the session may work on something else; ``None``: to be read."""
        self._is_begun = False
        """True if OpenCode is known to have taken the prompt out of the inbox."""
        self._prompts = {run.message_id, *hub.state(run.session_id).prompts}
        """Messages of the user's that are known: they do not show that the session moves on."""
        self._read_is_due = False
        self._interval = FIRST_INTERVAL

    async def follow(self, deadline: Deadline) -> Observation:
        """Follow the run; a deadline that has passed allows one look.

        Raises:
            BackendError: OpenCode could not be read even once.
        """
        with self._hub.listen(self._run.session_id) as listener:
            await self._first_read(deadline)
            while not await self._is_over(deadline):
                if not deadline.passed:
                    await self._ahead.begin(known_record(self._hub.state(self._run.session_id)))
                if await self._sleep(listener, deadline):
                    await self._read_again()
        self._seen.text = self._progress.text if self._seen.waits_behind is None else ""
        return self._seen

    async def _is_over(self, deadline: Deadline) -> bool:
        """Decide whether to stop following; a run that waits for answers is followed on if it gets them."""
        if self._seen.state is not State.WAITING:
            return self._seen.state in ENDS or deadline.passed
        is_late = deadline.passed
        if not await self._is_answered():
            return True
        if is_late:
            # Once only: a request that is always listed again must not keep the call. What is asked next may be
            # answered as well, and a report must not ask for an answer that policy gives.
            await self._read_again()
            if self._seen.state is State.WAITING:
                await self._is_answered()
        return is_late

    async def _is_answered(self) -> bool:
        """Have the open requests answered; return False if the wait has to end for some of them."""
        self._seen.pending = await self._respond(self._seen.pending)
        if self._seen.pending:
            return False
        self._seen.state = advance(self._seen.state, State.RUNNING)
        # Answering may have taken minutes: read everything again, at once.
        self._requests_stale, self._superseded, self._interval = True, None, 0
        return True

    async def _sleep(self, listener: Listener, deadline: Deadline) -> bool:
        """Send progress until it is time to look: at a hint, after a silence, at the deadline.

        Returns:
            False if the stream showed the end meanwhile, so that nothing is to be read.
        """
        settling = self._seen.state is State.SETTLING
        interval = SETTLE_EVERY if settling else min(self._interval, LONGEST_INTERVAL)
        look_at = min(anyio.current_time() + interval, deadline.at)
        while not await self._receives_hint(listener, look_at):
            if anyio.current_time() < look_at:
                continue
            # OpenCode loses an event now and then, and may have asked something.
            self._requests_stale = True
            if not settling:
                self._interval = max(self._interval * 2, FIRST_INTERVAL)
            break
        return self._seen.state not in ENDS

    async def _receives_hint(self, listener: Listener, until: float) -> bool:
        """Take the next events and send progress; return True if one of them is a hint to look at the run.

        Args:
            listener: Has the events.
            until: Time at which the wait for events ends; a line of progress that is due ends it earlier.
        """
        events = await listener.wait(min(until, self._next_line_at()) - anyio.current_time())
        for event in events:
            self._notice(event)
        await self._ahead.read_if_due()
        await self._send_due_line()
        if not self._read_is_due and not any(isinstance(event, HINTS) for event in events):
            return False
        self._read_is_due, self._interval = False, FIRST_INTERVAL
        return True

    def _notice(self, event: backend_events.Event) -> None:
        self._progress.add(event)
        self._ahead.notice(event)
        if self._may_move_on(event):
            self._superseded, self._read_is_due = None, True
        match event:
            case backend_events.Lost(reason=reason):
                self._seen.gone = reason
                self._seen.state = advance(self._seen.state, State.LOST)
            case (
                backend_events.Gap()
                | backend_events.PermissionAsked()
                | backend_events.QuestionAsked()
                | backend_events.RequestClosed()
            ):
                self._requests_stale = True
            case _:
                pass

    def _may_move_on(self, event: backend_events.Event) -> bool:
        """Return True for the first event about a message after which the session may work on something else."""
        match event:
            case backend_events.Gap():
                return True
            case backend_events.MessageChanged(session_id=session_id, message=message):
                if session_id != self._run.session_id or message.role != "user" or message.id in self._prompts:
                    return False
                self._prompts.add(message.id)
                return True
            case _:
                return False

    def _next_line_at(self) -> float:
        return self._throttle.next_line(waiting=self._progress.has_news)

    async def _send_due_line(self) -> None:
        now = anyio.current_time()
        if now < self._next_line_at():
            return
        line = self._progress.take()
        if self._seen.waits_behind is not None or not line:
            line = await self._present_activity()
        self._throttle.note_sent(now)
        await self._send_progress(line)

    async def _present_activity(self) -> str:
        """Return what the run does now, for a host that would otherwise hear nothing."""
        if self._seen.waits_behind is not None:
            return waiting_behind(self._seen.waits_behind)
        try:
            return await present_activity(self._client, self._hub, self._run, self._seen.status)
        except BackendError as error:
            logger.info("could not read what %s does: %s", self._run.session_id, error)
            return f"running for {run_age(self._client, self._run):.0f} s"

    async def _first_read(self, deadline: Deadline) -> None:
        """Look at the run, unless it is waited for and the stream shows OpenCode at work on it."""
        if deadline.passed or not self._is_under_way():
            await self._read()
            return
        self._was_busy = True
        self._seen.state = advance(self._seen.state, State.RUNNING)

    def _is_under_way(self) -> bool:
        """Return True if the stream shows that OpenCode took the prompt, and since then no end, request or pause.

        Nothing is decided by that but to wait: a lost event is made good by the look that follows a silence.
        """
        session_id = self._run.session_id
        state = self._hub.state(session_id)
        if state.working_on != self._run.message_id or (state.status and state.status.type == "retry"):
            return False
        return all(session_id not in self._hub.lineage(request.session_id) for request in self._hub.asked())

    async def _read_again(self) -> None:
        """A look that fails is no verdict: OpenCode may only be slow, and the stream tells when it is gone."""
        try:
            await self._read()
        except BackendError as error:
            logger.info("could not look at %s: %s", self._run.session_id, error)

    async def _read(self) -> None:
        evidence = self._end_from_stream() or await self._evidence()
        self._seen.state = advance(self._seen.state, classify(evidence))

    def _end_from_stream(self) -> Evidence | None:
        """Return the evidence of an end that the stream delivered in full, if its record was read ahead."""
        record = self._ahead.record
        if record is None or self._hub.state(self._run.session_id).error:
            return None
        self._seen.answers, self._seen.whole, self._seen.session = record.answers, record.whole, record.session
        self._seen.waits_behind = None
        return Evidence(answers=[message.info for message in record.answers])

    async def _evidence(self) -> Evidence:
        """Read the run; the answers only if its session does not work on it."""
        run = self._run
        status = (await self._client.session_status(run.directory)).get(run.session_id)
        if self._superseded is None:
            self._superseded = await has_moved_on(self._client, run)
        if status is not None and not self._superseded:
            return await self._busy_evidence(status)
        await self._read_answers()
        if not self._superseded and await self._shell_line_runs():
            return await self._busy_evidence(SessionStatus(type="busy"))
        return await self._idle_evidence()

    async def _idle_evidence(self) -> Evidence:
        """Return the evidence of a run that its session does not work on, after its answers were read."""
        run, seen = self._run, self._seen
        seen.pending, seen.session_forms, self._requests_stale = [], [], True
        seen.waits_behind, seen.is_idle = None, True
        seen.never_started = not self._superseded and await self._never_started()
        if seen.never_started:
            seen.answers = []  # They are those of another prompt.
            return Evidence(never_started=True, error=self._hub.state(run.session_id).error)
        quiet_seconds = await self._quiet_seconds()
        last = seen.answers[-1] if seen.answers else None
        return Evidence(
            answers=[message.info for message in seen.answers],
            empty=last is not None and says_nothing(last),
            cut_short=last is not None and is_cut_short(last),
            stopped=was_stopped_between(seen.answers),
            error=self._hub.state(run.session_id).error,
            copied=seen.copied,
            quiet_seconds=quiet_seconds,
        )

    async def _prompt_ahead(self) -> str | None:
        """Return the prompt for which the run's waits in the inbox, empty if it is not known; ``None`` if it does not.

        OpenCode 2 takes a queued prompt out of the inbox when it begins it.
        """
        self._is_begun = self._is_begun or not await self._waits_in_inbox()
        if self._is_begun:
            return None
        latest = await latest_prompt(self._client, self._run.session_id)
        return latest.info.id if latest else ""

    async def _waits_in_inbox(self) -> bool:
        run = self._run
        if self._hub.state(run.session_id).working_on == run.message_id:
            return False
        return run.message_id in await self._client.pending_prompts(run.session_id)

    async def _shell_line_runs(self) -> bool:
        """Return True if the run is a person's shell line that has not ended; OpenCode 2 calls the session idle."""
        calls = self._seen.answers[-1].tool_calls if self._seen.answers else []
        if not any(call.state.status == "running" for call in calls):
            return False
        return bool(await self._client.running_shell(self._run.session_id, self._run.directory))

    async def _never_started(self) -> bool:
        """Return True if the prompt was never begun, and will not be before the session's next prompt."""
        run = self._run
        if any(answer.info.parent_id == run.message_id for answer in self._seen.answers):
            return False
        if run.message_id not in await self._client.pending_prompts(run.session_id):
            return False
        # OpenCode may just be about to begin it.
        await anyio.sleep(INBOX_RECHECK_SECONDS)
        if run.session_id in await self._client.session_status(run.directory):
            return False
        return run.message_id in await self._client.pending_prompts(run.session_id)

    async def _read_answers(self) -> None:
        if self._superseded:
            self._seen.answers, self._seen.whole = await all_answers(self._client, self._run), True
        else:
            self._seen.answers, self._seen.whole = await last_answers(self._client, self._run)

    async def _quiet_seconds(self) -> float:
        """Seconds since the session was seen to fall idle; for a first look, since OpenCode last touched it."""
        if self._hub.interrupted.has_ended(self._run.message_id) or self._is_left():
            return inf
        now = anyio.current_time()
        if self._idle_since is None:
            self._idle_since = now - (0 if self._was_busy else await self._untouched())
        elif not self._is_copy_checked:
            # A fork's copy of a prompt looks on the stream as if OpenCode had taken it.
            await self._read_session()
        return now - self._idle_since

    def _is_left(self) -> bool:
        """Return True if the session went on to other work, and nothing will be added to the run's last answer."""
        last = self._seen.answers[-1].info if self._seen.answers else None
        return bool(self._superseded) and last is not None and (last.ended or last.is_complete)

    async def _untouched(self) -> float:
        """Seconds that nobody has touched the run: who only looks now and then must see one that died long ago."""
        session = await self._read_session()
        ages = self._client.clock.now() - session.time.updated / 1000, run_age(self._client, self._run)
        return await abandoned_seconds(self._client, self._hub, self._run, untouched=min(ages))

    async def _read_session(self) -> Session:
        """Read the session, and note whether it is a fork that only copied the run (``session.get``)."""
        session = await self._client.session_get(self._run.session_id)
        self._seen.copied, self._is_copy_checked = await self._is_copied(session), True
        return session

    async def _is_copied(self, session: Session) -> bool:
        """Return True if a fork copied the last answer, or the prompt if it has none (``session.message``)."""
        if self._seen.answers:
            return is_copied(self._seen.answers[-1].info, session)
        with suppress(BridgeError):
            return is_copied((await self._client.session_message(session.id, self._run.message_id)).info, session)
        return False

    async def _with_pause(self, status: SessionStatus) -> SessionStatus:
        """Return the status of the busy session with a pause that the server's own status does not tell.

        The stream tells it, unless it was not followed when the pause began: then the messages do.
        """
        if (await self._client.features()).retry_status:
            return status
        followed = self._hub.state(self._run.session_id).status
        return followed or await self._client.session_pause(self._run.session_id) or status

    async def _busy_evidence(self, status: SessionStatus) -> Evidence:
        run, seen = self._run, self._seen
        seen.status = status = await self._with_pause(status)
        if status.type == "retry" and not self._was_busy:
            # A follower that starts in the middle of a long pause must report what the run waits for.
            self._progress.add(backend_events.StatusChanged(run.session_id, status))
        self._idle_since, self._was_busy, seen.is_idle = None, True, False
        seen.waits_behind = await self._prompt_ahead()
        if seen.waits_behind is not None:
            # What is asked now is asked for the prompt ahead.
            seen.pending, self._requests_stale = [], True
            return Evidence(status=SessionStatus(type="busy"))
        if self._requests_stale:
            await self._read_requests()
        return Evidence(status=status, asked=bool(seen.pending))

    async def _read_requests(self) -> None:
        asked = await self._requests.open(self._run.directory, self._run.session_id)
        self._seen.pending = [request for request in asked if not self._is_beside(request)]
        self._seen.session_forms = [request.request_id for request in asked if request.is_of_session]
        self._requests_stale = False

    def _is_beside(self, request: PendingRequest) -> bool:
        """Return True for a form of a client, and for what a client asked before the prompt: the run does not wait."""
        if request.is_of_session:
            return True
        age = run_age(self._client, self._run)
        return request.of_client and 0 < age < age_of(request.request_id, int(self._client.clock.now() * 1000))


def waiting_behind(prompt: str) -> str:
    """Return the activity of a prompt that OpenCode has not begun, since it works on another one of the session."""
    return f"nothing yet; the prompt waits in the inbox of the session until {prompt or 'its present work'} has ended"


async def present_activity(
    client: OpenCodeClient,
    hub: Hub,
    run: Run,
    status: SessionStatus | None,
    answers: Sequence[Message] | None = None,
) -> str:
    """Return what a run does at this moment.

    Args:
        client: Reads the run's last messages, if the event stream was not followed since its prompt.
        hub: Knows the event stream.
        run: The run.
        status: The session's, as far as it was read.
        answers: The messages that answer the prompt, if they have been read.

    Raises:
        BackendError: OpenCode could not be read.
    """
    now = CurrentTime(anyio.current_time(), client.clock.now() * 1000)
    state = hub.state(run.session_id)
    if state.working_on == run.message_id:
        return activity_on_stream(hub.state, run.session_id, run.directory, now)
    if answers is None:
        answers, _ = await last_answers(client, run)
    age = run_age(client, run)
    return activity_on_record(answers, run.directory, state.status or status, now, age=age, state_of=hub.state)


def run_age(client: OpenCodeClient, run: Run) -> float:
    """Return the age of a run's prompt in seconds, by OpenCode's clock; 0 if its id does not show it."""
    return age_of(run.message_id, int(client.clock.now() * 1000))
