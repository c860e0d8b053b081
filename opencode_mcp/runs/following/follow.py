"""Follows one run: read its state, sleep until an event hints at a change, read it again.

A follower is the only loop that waits for a run. It ends when the run has ended, when the deadline has passed, or when
the run waits for an answer that nobody gives. It returns an ``Observation``; the caller makes the report of it
(``reporter.py``), once.

Each round has four parts:

1. Read (``evidence_reader.py``). ``outcome/state.py`` turns what was read into a state.
2. Respond (``_answer_requests``). While the run waits for an answer, ``respond`` is called with the open requests:
   policy answers, then a person by a form (``answers/runs_under_policy.py``, ``server/waiting/wait.py``). If something
   was answered, the follower continues; it keeps its listener, so that no event is lost meanwhile.
3. Sleep (``_sleep``). An event of ``HINTS`` ends the sleep at once. Without events it ends after two seconds, then
   four, then eight, then every ten: OpenCode loses an event now and then. An idle session whose last answer is not
   complete is read every 50 ms, since OpenCode usually completes it within 20.
4. Progress. Events become lines (``progress_lines.py``), at most four a second, at least one every ten seconds, because
   hosts give up on a call that is silent.

Invariants:

* Events only wake the follower, and GETs decide what the run's state is. The exceptions are few. Events decide

  - that the run has ended well, if the stream delivered its end in full, and its messages were read beside that or
    while the model wrote its first answer (``read_ahead.py``);
  - that it is at work: the first read of a run that is waited for is left out while the stream shows OpenCode at work
    on its prompt, and the prompt is not looked for in the inbox then;
  - that it failed, if it has no answer yet: OpenCode keeps no other trace of the error;
  - that it is lost, if OpenCode is gone (``Lost``), or had ended while it worked on the prompt
    (``events/interrupted_prompts.py``);
  - that an abort is meant for it: the messages are not read before if the stream shows OpenCode at work on its prompt
    (``Runs.abort``).

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

import anyio

from opencode_mcp.errors import BackendError
from opencode_mcp.events.hub import Hub, Listener
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary import backend_events
from opencode_mcp.runs.deadline import Deadline
from opencode_mcp.runs.following.evidence_reader import EvidenceReader
from opencode_mcp.runs.following.observation import Observation
from opencode_mcp.runs.following.present_activity import present_activity, waiting_behind
from opencode_mcp.runs.following.progress_lines import Progress
from opencode_mcp.runs.following.progress_throttle import ProgressThrottle
from opencode_mcp.runs.following.read_ahead import ReadAhead, known_record
from opencode_mcp.runs.following.wait_callbacks import Respond, SendProgress, leave_open, no_progress
from opencode_mcp.runs.outcome.state import ENDS, Evidence, State, advance, classify
from opencode_mcp.runs.run_age import run_age
from opencode_mcp.runs.run_record import Run

logger = logging.getLogger(__name__)

FIRST_INTERVAL_SECONDS = 2.0
"""Time between two reads while the stream is silent; each is twice as long as the one before."""
LONGEST_INTERVAL_SECONDS = 10.0
SETTLING_INTERVAL_SECONDS = 0.05
"""Time between two reads of an idle session whose last answer is not complete."""
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
        draft = hub.state(run.session_id).draft
        self._progress = Progress(
            run.session_id, run.message_id, run.directory, lambda: client.clock.now() * 1000, draft
        )
        self._throttle = ProgressThrottle(anyio.current_time())
        self._ahead = ReadAhead(client, run)
        self._seen = Observation(client)
        self._reader = EvidenceReader(client, hub, run, self._seen)
        self._prompts = {run.message_id, *hub.state(run.session_id).prompts}
        """Messages of the user's that are known: they do not show that the session moves on."""
        self._is_read_due = False
        self._interval_seconds = FIRST_INTERVAL_SECONDS

    async def follow(self, deadline: Deadline) -> Observation:
        """Follow the run; a deadline that has passed allows one read.

        Raises:
            BackendError: OpenCode could not be read even once.
        """
        with self._hub.listen(self._run.session_id) as listener:
            await self._first_read(deadline)
            await self._follow_to_end(deadline, listener)
        self._seen.text = self._progress.text if self._seen.waits_behind is None else ""
        return self._seen

    async def _follow_to_end(self, deadline: Deadline, listener: Listener) -> None:
        """Follow the run until it has ended or needs an answer that nobody gives, or the deadline has passed."""
        while not deadline.passed and self._seen.state not in ENDS:
            if self._seen.state is State.WAITING and not await self._answer_requests():
                return
            if not deadline.passed:
                await self._ahead.begin(known_record(self._hub.state(self._run.session_id)))
            await self._sleep(listener, deadline)
            if self._seen.state not in ENDS:
                await self._read_again()
        if self._seen.state is State.WAITING:
            await self._answer_at_deadline()

    async def _answer_at_deadline(self) -> None:
        """Have the open requests answered, and those that are asked next: a report must not list what policy answers.

        It is done once only. A request that is always listed again must not keep the call.
        """
        if not await self._answer_requests():
            return
        await self._read_again()
        if self._seen.state is State.WAITING:
            await self._answer_requests()

    async def _answer_requests(self) -> bool:
        """Have the open requests answered; return False if the wait has to end for some of them."""
        self._seen.pending = await self._respond(self._seen.pending)
        if self._seen.pending:
            return False
        self._seen.state = advance(self._seen.state, State.RUNNING)
        # Answering may have taken minutes: read everything again, at once.
        self._reader.forget_requests()
        self._reader.forget_succession()
        self._interval_seconds = 0
        return True

    async def _sleep(self, listener: Listener, deadline: Deadline) -> None:
        """Send progress until the run is to be read: at a hint, after a silence, at the deadline."""
        is_settling = self._seen.state is State.SETTLING
        interval = SETTLING_INTERVAL_SECONDS if is_settling else min(self._interval_seconds, LONGEST_INTERVAL_SECONDS)
        read_at = min(anyio.current_time() + interval, deadline.at)
        while not await self._take_events(listener, read_at):
            if anyio.current_time() < read_at:
                continue
            # OpenCode loses an event now and then, and may have asked something.
            self._reader.forget_requests()
            if not is_settling:
                self._interval_seconds = max(self._interval_seconds * 2, FIRST_INTERVAL_SECONDS)
            break

    async def _take_events(self, listener: Listener, until: float) -> bool:
        """Take the next events and send the progress that is due; return True if one is a hint to read the run.

        Args:
            listener: Has the events.
            until: Time at which the wait for events ends; a line of progress that is due ends it earlier.
        """
        events = await listener.wait(min(until, self._next_line_at()) - anyio.current_time())
        for event in events:
            self._notice(event)
        await self._ahead.read_if_due()
        await self._send_due_line()
        if not self._is_read_due and not any(isinstance(event, HINTS) for event in events):
            return False
        self._is_read_due, self._interval_seconds = False, FIRST_INTERVAL_SECONDS
        return True

    def _notice(self, event: backend_events.Event) -> None:
        self._progress.add(event)
        self._ahead.notice(event)
        match event:
            case backend_events.Lost(reason=reason):
                self._seen.gone = reason
                self._seen.state = advance(self._seen.state, State.LOST)
            case backend_events.Gap():
                self._reader.forget_requests()
                self._expect_succession()
            case backend_events.PermissionAsked() | backend_events.QuestionAsked() | backend_events.RequestClosed():
                self._reader.forget_requests()
            case backend_events.MessageChanged(session_id=session_id, message=message):
                if session_id == self._run.session_id and message.role == "user":
                    self._note_prompt(message.id)
            case _:
                pass

    def _note_prompt(self, message_id: str) -> None:
        if message_id not in self._prompts:
            self._prompts.add(message_id)
            self._expect_succession()

    def _expect_succession(self) -> None:
        """Have the run read at once: its session may work on something else now."""
        self._reader.forget_succession()
        self._is_read_due = True

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
        """Return what the run does now, for a host that would otherwise receive nothing."""
        if self._seen.waits_behind is not None:
            return waiting_behind(self._seen.waits_behind)
        try:
            return await present_activity(self._client, self._hub, self._run, self._seen.status)
        except BackendError as error:
            logger.info("could not read what %s does: %s", self._run.session_id, error)
            return f"running for {run_age(self._client, self._run):.0f} s"

    async def _first_read(self, deadline: Deadline) -> None:
        """Read the run, unless it is waited for and the stream shows OpenCode at work on it."""
        if deadline.passed or not self._is_under_way():
            await self._read()
            return
        self._reader.was_busy = True
        self._seen.state = advance(self._seen.state, State.RUNNING)

    def _is_under_way(self) -> bool:
        """Return True if the stream shows that OpenCode took the prompt, and since then no end, request or pause.

        Nothing is decided by that but to wait: a lost event is made good by the read that follows a silence.
        """
        session_id = self._run.session_id
        state = self._hub.state(session_id)
        if state.working_on != self._run.message_id or (state.status and state.status.type == "retry"):
            return False
        return all(session_id not in self._hub.lineage(request.session_id) for request in self._hub.asked())

    async def _read_again(self) -> None:
        """Read the run; a failure is no verdict: OpenCode may only be slow, and the stream shows when it is gone."""
        try:
            await self._read()
        except BackendError as error:
            logger.info("could not read %s: %s", self._run.session_id, error)

    async def _read(self) -> None:
        was_busy = self._reader.was_busy
        evidence = self._end_from_stream() or await self._reader.read()
        if evidence.status and evidence.status.type == "retry" and not was_busy:
            # A follower that starts in the middle of a long pause must report what the run waits for.
            self._progress.add(backend_events.StatusChanged(self._run.session_id, evidence.status))
        self._seen.state = advance(self._seen.state, classify(evidence))

    def _end_from_stream(self) -> Evidence | None:
        """Return the evidence of an end that the stream delivered in full, if its record was read ahead."""
        record = self._ahead.record
        if record is None or self._hub.state(self._run.session_id).error:
            return None
        self._seen.answers, self._seen.is_whole, self._seen.session = record.answers, record.is_whole, record.session
        self._seen.waits_behind = None
        return Evidence(answers=[message.info for message in record.answers])
