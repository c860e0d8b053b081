"""The life of a prompt: start it, follow it, find it again, stop it.

A run belongs to OpenCode, not to the request that started it: everything here works from the triple (directory, session
id, message id), and what is kept is a cache.
"""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import anyio

from opencode_mcp.bounded_dict import BoundedDict
from opencode_mcp.errors import (
    BackendError,
    BackendFailed,
    BridgeError,
    InvalidArgument,
    NoRunYet,
    NotFound,
    SessionBusy,
)
from opencode_mcp.events.hub import Hub, Listener
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http.codec import is_unreadable
from opencode_mcp.opencode.http.transport import READ_TIMEOUT_SECONDS
from opencode_mcp.opencode.vocabulary.models import Failure, Session
from opencode_mcp.opencode.vocabulary.submission import Accepted, PromptSubmission, SessionSettings
from opencode_mcp.options import Decider
from opencode_mcp.runs.deadline import Deadline
from opencode_mcp.runs.following.corrections import find_correction, observe_corrected, read_schema
from opencode_mcp.runs.following.follow import Follower, Observation, Respond, SendProgress, leave_open, no_progress
from opencode_mcp.runs.following.verified import observe_verified
from opencode_mcp.runs.limits import NO_LIMITS, Limits, tightest
from opencode_mcp.runs.model_prices import unknown_cost
from opencode_mcp.runs.outcome.report import RunReport, add_verification, first_words, spoken
from opencode_mcp.runs.outcome.state import State
from opencode_mcp.runs.output_schema.prompted import corrected_prompt, correction_id, with_schema_in_text
from opencode_mcp.runs.prompting.message_ids import message_id_after, new_message_id
from opencode_mcp.runs.prompting.prompt import Prompt, check_prompt
from opencode_mcp.runs.prompting.reload import InstanceReload
from opencode_mcp.runs.prompting.sending import is_reported_failure, may_have_arrived
from opencode_mcp.runs.prompting.session_lock import SessionLocks
from opencode_mcp.runs.record import Run, RunStarter, is_at_work_on, is_removed, is_superseded, latest_prompt
from opencode_mcp.runs.reports.reporter import LEFT_IN_INBOX, TAKEN_BACK, changed_settings, report_run
from opencode_mcp.runs.run_note import ANY_PROMPT, Note, Notes, combined
from opencode_mcp.runs.start_deadline import StartDeadline
from opencode_mcp.runs.stopping import SessionTree, StopResult, stop_and_compare
from opencode_mcp.runs.verification.progress import Verification, Verifications
from opencode_mcp.runs.verification.request import VerificationRecord, Verify
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from opencode_mcp.opencode.http.transport import Transport

logger = logging.getLogger(__name__)

STARTED_KEPT = 1000
LONGEST_ID = 80
"""Most characters of a wrong id that an error shows."""
POST_LEAST = 5.0
"""Seconds that OpenCode has to take a prompt, however late it is: it usually takes a hundredth of that."""
BEGIN_WITHIN = 2.0
"""Seconds that a prompt which OpenCode has taken may need to show."""
BEGIN_SILENCE = 0.2
"""Seconds without an event after which OpenCode is asked whether the session is busy."""
ABORT_DEADLINE = 10.0
STOPPED = "It was stopped."


class Runs:
    """Starts runs and finds them again.

    Args:
        hub: The events of the server that they run on.
        notes: Where it is noted who answers what a run asks.
        session_locks: Keeps others out of a session while something is started in it; none: only this process's.
        instance_reload: Makes OpenCode read new files; without it, new names stay unknown.
    """

    def __init__(
        self,
        hub: Hub,
        notes: Notes,
        session_locks: SessionLocks | None = None,
        instance_reload: InstanceReload | None = None,
    ) -> None:
        self._hub = hub
        self.notes = notes
        self._session_locks = session_locks or SessionLocks(None)
        self.instance_reload = instance_reload or InstanceReload()
        self._warm: set[tuple[Transport, str]] = set()
        self._started = BoundedDict[str, str](STARTED_KEPT)
        """The prompts that were sent from here, with their first words."""
        self._accepted = BoundedDict[str, Accepted](STARTED_KEPT)
        """The settings of sessions that prompts from here have changed, until these are reported."""
        self._models = BoundedDict[str, str](STARTED_KEPT)
        """The models that prompts from here name, as ``provider/model``."""
        self._stopped = BoundedDict[str, bool](STARTED_KEPT)
        """The prompts whose runs were stopped from here."""
        self._schemas = BoundedDict[str, Mapping[str, Any] | None](STARTED_KEPT)
        """The callers' schemas of the answers to prompts, as far as they are known."""
        self._taken_back = BoundedDict[str, State](STARTED_KEPT)
        """The prompts that were taken back because they were never begun, each with the state of its run."""
        self.stop_reasons = BoundedDict[str, str](STARTED_KEPT)
        """The prompts whose runs were stopped from here at a limit, each with a sentence on it."""
        self.verifications = Verifications()
        """The verifications of runs, as far as this bridge knows of them."""

    @property
    def schemas(self) -> Mapping[str, Mapping[str, Any] | None]:
        """Return the callers' schemas of the answers to prompts, by the prompt's id, as far as they are known."""
        return self._schemas

    async def start(
        self,
        prompt: Prompt,
        session: Session | None = None,
        *,
        caller_limit: Decider = "allow",
        starter: RunStarter = "agent",
        limits: Limits = NO_LIMITS,
        verify: Verify | None = None,
        before_send: Callable[[Run], Awaitable[None] | None] | None = None,
        start_deadline: StartDeadline | None = None,
    ) -> Run:
        """Hand a prompt to OpenCode (``session.prompt_async``).

        Args:
            prompt: What to do.
            session: The session to go on in; none: a new one.
            caller_limit: How strict the caller wants permissions to be answered at least.
            starter: Who is behind the host that starts it.
            limits: The limits of the run, which its note keeps; ``enforcement/`` stops a run at them.
            verify: How its work is verified, which its note keeps too; ``enforcement/`` does it.
            before_send: Gets the run before OpenCode does, and so before it can ask anything. If what it returns raises
                an error, nothing is sent, and a session that was created for the run is deleted.
            start_deadline: Lifted when the prompt is sent; none: sending it may take as long as it takes.

        Raises:
            CallerError: What ``check_prompt`` refuses.
            SessionBusy: The session has a run already.
            BackendError: OpenCode could not be reached; nothing was started.
        """
        start_deadline = start_deadline or StartDeadline()
        client = await self._client(prompt.directory)
        await check_prompt(client, prompt, self.instance_reload)
        words = first_words(prompt.text)
        message_id = prompt.message_id or await next_message_id(client, session)
        note = self.notes.new(message_id, caller_limit, starter, words, limits, verify)
        begun = session or await self.begin_session(client, prompt.directory, note, prompt.settings, prompt.title)
        async with self.turn(begun, is_new=session is None) as client:
            run = await self.noted(client, begun, note, start_deadline, is_new=session is None)
            if before_send and (admission := before_send(run)):
                await self._admit(client, run, admission, is_new=session is None)
            seconds = start_deadline.remaining(at_least=POST_LEAST, at_most=READ_TIMEOUT_SECONDS)
            await self.post(client, run, prompt, seconds, is_first=session is None)
            return run

    async def _admit(self, client: OpenCodeClient, run: Run, admission: Awaitable[None], *, is_new: bool) -> None:
        try:
            await admission
        except BridgeError:
            if is_new:
                with anyio.CancelScope(shield=True), suppress(BridgeError):
                    await client.session_delete(run.session_id)
            raise

    async def begin_session(
        self, client: OpenCodeClient, directory: str, note: Note, settings: SessionSettings, title: str = ""
    ) -> Session:
        """Create a session with a note for its first prompt, and with the settings of that (``session.create``)."""
        metadata = self.notes.metadata(note)
        created = await client.session_create(directory, title=title, metadata=metadata, settings=settings)
        state = self._hub.state(created.id)
        state.title, state.complete = state.title or created.title, True
        return created

    async def noted(
        self, client: OpenCodeClient, session: Session, note: Note, start_deadline: StartDeadline, *, is_new: bool
    ) -> Run:
        """Note who answers for the prompt that is sent next, in the session's turn; returns its run.

        A subagent of an earlier prompt may still be working, where OpenCode has detached it. The new note would replace
        the one that holds for it, so the new prompt is then held to the stricter of both.

        Raises:
            BackendError: OpenCode could not be reached; nothing was started.
        """
        if not is_new:
            note = await self._with_what_still_runs(client, session, note)
            await self.notes.write(client, session, note)
        await start_deadline.commit()
        self.notes.remember(session.id, note)
        return Run(
            directory=session.directory,
            session_id=session.id,
            message_id=note.message_id,
            caller_limit=note.caller_limit,
            starter=note.starter,
            policies=note.policies,
            limits=note.limits,
            verification=note.verification,
            words=note.words,
        )

    async def note_prompt(self, client: OpenCodeClient, session: Session, run: Run) -> None:
        """Write the note of a run again whose prompt had no id before; a failure leaves one that holds for all prompts.

        It is called in the session's turn.
        """
        note = Note(run.message_id, run.caller_limit, run.starter, run.policies, run.words, run.limits)
        try:
            await self.notes.write(client, session, note)
        except BridgeError as error:
            logger.info("could not note the prompt %s: %s", run.message_id, error)
        else:
            self.notes.remember(session.id, note)

    async def _with_what_still_runs(self, client: OpenCodeClient, session: Session, note: Note) -> Note:
        if not await SessionTree(client, session.id, session.directory).busy_levels():
            return note
        before = self.notes.of(await client.session_get(session.id))
        caller_limit, starter, policies = combined([note, *before])
        return replace(note, caller_limit=caller_limit, starter=starter, policies=policies)

    @asynccontextmanager
    async def turn(self, session: Session, *, is_new: bool = False) -> AsyncGenerator[OpenCodeClient]:
        """Have an idle session to oneself while the block starts something in it.

        Args:
            session: The session.
            is_new: Whether the caller has just created it, so that nothing can run in it.

        Raises:
            SessionBusy: The session has a run already.
            BackendError: OpenCode could not be reached.
        """
        client = await self._client(session.directory)
        async with self._session_locks.hold(session.id), self.instance_reload.starting(session.directory):
            if not is_new:
                await self._refuse_if_busy(client, session)
            yield client

    def alone_in(self, session_id: str) -> AbstractAsyncContextManager[None]:
        """Keep every start of a prompt out of a session while the block writes its record.

        Raises:
            SessionBusy: Another bridge was starting something in it all the time.
        """
        return self._session_locks.hold(session_id)

    async def _client(self, directory: str) -> OpenCodeClient:
        """A client that never finds another server by itself: what happens to this one must be seen."""
        transport = await self._hub.ensure()
        client = OpenCodeClient(transport)
        if (transport, directory) not in self._warm:
            # An abort in the first second of a directory's life breaks it in OpenCode 1.18, unless its providers were
            # loaded before. `provider.list` does that, too, and answers with a thousand times as much.
            await client.used_providers(directory)
            self._warm.add((transport, directory))
        return client

    async def _refuse_if_busy(self, client: OpenCodeClient, session: Session) -> None:
        if verification := self.verifications.running_in(session.id):
            raise SessionBusy(f"The work of the session {session.id} is being verified: {verification.doing}.")
        if session.id not in await client.session_status(session.directory):
            return
        running = await latest_prompt(client, session.id)
        words = first_words(spoken(running)) if running else ""
        quoted = f": {words!r}" if words else ""
        raise SessionBusy(f"The session {session.id} is working on another prompt{quoted}.")

    async def post(
        self, client: OpenCodeClient, run: Run, prompt: Prompt, seconds: float, *, is_first: bool = False
    ) -> None:
        """Send a prompt in the turn of its session, whose note is written (``session.prompt_async``).

        Args:
            client: Of the turn.
            run: The run of the prompt.
            prompt: The prompt.
            seconds: Time that OpenCode has to take it.
            is_first: Whether the session was created for it.

        Raises:
            BridgeError: OpenCode does not have it.
        """
        self._hub.state(run.session_id).error = None
        self._started[run.message_id] = run.words
        self._schemas[run.message_id] = prompt.output_schema
        self._models[run.message_id] = prompt.model
        with self._hub.listen(run.session_id) as listener:
            submission = prompt.submission(run.message_id, is_first=is_first)
            failed = await self._send(client, run, submission, seconds)
            try:
                begun = await self._see_begin(client, run, listener)
            except BridgeError as error:
                # The prompt is with OpenCode, so its caller must learn which run it is.
                logger.info("could not see %s begin: %s", run.message_id, error)
                return
        if failed and not begun:
            state = self._hub.state(run.session_id)
            state.error = state.error or Failure(data={"message": failed.message})

    async def _send(
        self, client: OpenCodeClient, run: Run, submission: PromptSubmission, seconds: float
    ) -> BridgeError | None:
        """Send a prompt once, and return with what OpenCode says that it failed at it; it may have it all the same.

        Raises:
            BridgeError: OpenCode does not have it.
        """
        try:
            if not (await client.features()).output_schemas:
                submission = with_schema_in_text(submission)
            accepted = await client.submit_prompt(run.session_id, run.directory, submission, timeout=seconds)
        except BridgeError as error:
            if not may_have_arrived(error):
                raise
            logger.info("sending %s failed: %s", run.message_id, error)
            return error if is_reported_failure(error) else None
        self.accepted(accepted)
        return None

    def accepted(self, accepted: Accepted) -> None:
        """Keep the settings of its session that a prompt has changed, until its run is reported."""
        if accepted.agent or accepted.model:
            self._accepted[accepted.message_id] = accepted

    async def _see_begin(self, client: OpenCodeClient, run: Run, listener: Listener) -> bool:
        """Hold the session's turn until OpenCode shows the prompt: on a busy machine its 204 comes before that."""
        deadline = anyio.current_time() + BEGIN_WITHIN
        while not self._stream_shows_begin(run):
            left = deadline - anyio.current_time()
            if left <= 0:
                return False
            events = await listener.wait(min(BEGIN_SILENCE, left))
            if not events and run.session_id in await client.session_status(run.directory):
                # It was idle before in the same turn, so it can work on nothing else.
                self._hub.state(run.session_id).working_on = run.message_id
                return True
        return True

    def _stream_shows_begin(self, run: Run) -> bool:
        state = self._hub.state(run.session_id)
        return run.message_id in state.prompts or state.error is not None

    async def observe(
        self,
        run: Run,
        deadline: Deadline,
        send_progress: SendProgress = no_progress,
        respond: Respond = leave_open,
        *,
        corrects: bool = True,
    ) -> Observation:
        """Wait until a run and its verification end, it needs an answer that nobody gives, or the deadline passes.

        Args:
            run: From ``start`` or ``find``.
            deadline: When to stop waiting; one that has passed allows one look.
            send_progress: Gets a line of progress at most four times a second, at least every ten seconds.
            respond: Answers the run's requests.
            corrects: Whether an answer that does not fit a schema in the prompt is to be corrected (once).

        Raises:
            BackendError: OpenCode could not be read.
        """

        async def follow(prompt: Run) -> Observation:
            return await self.observe_prompt(prompt, deadline, send_progress, respond, corrects=corrects)

        verification = self._verification_of(run)
        if verification is None:
            return await follow(run)
        return await observe_verified(run, verification, follow, deadline, send_progress)

    def is_verified_now(self, run: Run) -> bool:
        """Return True if a task of this bridge verifies the work of a run, or waits for its end to do so."""
        verification = self._verification_of(run)
        return verification is not None and verification.is_pending

    def _verification_of(self, run: Run) -> Verification | None:
        return self.verifications.of(run.session_id, run.message_id, run.verification)

    async def observe_prompt(
        self,
        run: Run,
        deadline: Deadline,
        send_progress: SendProgress = no_progress,
        respond: Respond = leave_open,
        *,
        corrects: bool = True,
    ) -> Observation:
        """Wait as ``observe`` does for one prompt of a run, whatever follows it.

        Args:
            run: The run of that prompt alone.
            deadline: When to stop waiting; one that has passed allows one look.
            send_progress: Gets a line of progress at most four times a second, at least every ten seconds.
            respond: Answers the run's requests.
            corrects: Whether an answer that does not fit a schema in the prompt is to be corrected (once).

        Raises:
            BackendError: OpenCode could not be read.
        """
        client = await self._client(run.directory)
        if run.message_id in self._taken_back:
            return Observation(client, self._taken_back[run.message_id], parked=True)
        if not self._is_latest(run) and await is_removed(client, run):
            return Observation(client, State.ABORTED, removed=True)

        async def follow(run: Run) -> Observation:
            return await Follower(client, self._hub, run, send_progress, respond).follow(deadline)

        schema = await self._schema_in_prompt(client, run)
        if schema is None:
            return await follow(run)
        send = self._send_correction if corrects and run.message_id not in self._stopped else None
        return await observe_corrected(client, run, schema, follow, send)

    def _is_latest(self, run: Run) -> bool:
        """Return True if the event stream shows that a run's prompt is the latest one of its session."""
        prompts = self._hub.state(run.session_id).prompts
        return bool(prompts) and prompts[-1] == run.message_id

    async def _schema_in_prompt(self, client: OpenCodeClient, run: Run) -> Mapping[str, Any] | None:
        """Return the schema of a run's answer where it is part of the prompt; ``None`` for any other run."""
        if (await client.features()).output_schemas:
            return None
        if run.message_id not in self._schemas:
            self._schemas[run.message_id] = await read_schema(client, run)
        return self._schemas[run.message_id]

    async def _send_correction(self, run: Run, text: str) -> Run | None:
        """Ask for a corrected answer (``session.prompt``), unless the session has gone on to another prompt.

        A failure is no loss: the run has ended, and the next one who looks at it tries again.
        """
        correction = replace(run, message_id=correction_id(run.message_id))
        session = Session(id=run.session_id, directory=run.directory)
        try:
            async with self.turn(session) as client:
                latest = await latest_prompt(client, run.session_id)
                if latest is None or latest.info.id != run.message_id:
                    return await find_correction(client, run)
                prompt = Prompt(text=text, directory=run.directory)
                await self.post(client, correction, prompt, POST_LEAST)
        except BridgeError as error:
            logger.info("could not ask for a corrected answer to %s: %s", run.message_id, error)
            return None
        return correction

    async def report(self, run: Run, seen: Observation, *, for_caller: bool = True) -> RunReport:
        """Report a run as it was seen (``session.messages``, ``session.diff`` and others).

        Args:
            run: The run.
            seen: The run as it was seen last.
            for_caller: True if a caller gets the report: only that one says what the prompt changed in its session.

        Raises:
            BackendError: OpenCode could not be read.
        """
        report = await report_run(self._hub, run, seen, self._schemas.get(run.message_id))
        report.unbegun = seen.parked
        if seen.parked:
            report.note = TAKEN_BACK if await self._take_back(run, seen) else LEFT_IN_INBOX
        if run.limits.max_cost is not None and not report.lost:
            model = report.model or self._models.get(run.message_id, "")
            unknown = unknown_cost(await seen.client.used_providers(run.directory), model)
            report.note = " ".join(filter(None, [report.note, unknown]))
        if for_caller and (accepted := self._accepted.pop(run.message_id, None)):
            report.note = " ".join(filter(None, [report.note, changed_settings(accepted)]))
        if verification := self._verification_of(run):
            add_verification(report, verification.record)
        reason = self.stop_reasons.get(run.message_id) or run.stopped
        if reason and report.status == "aborted":
            report.shortfall, report.at_limit = reason, True
        return report

    async def _take_back(self, run: Run, seen: Observation) -> bool:
        """Take back a prompt that was never begun, or the session's next prompt would begin it; return success.

        A prompt that was not sent from here may be somebody's who wants it to begin then.
        """
        sent = seen.correction or run
        if sent.message_id in self._taken_back:
            return True
        if sent.message_id not in self._started:
            return False
        try:
            taken = await seen.client.withdraw_prompt(sent.session_id, sent.message_id)
        except BackendError as error:
            logger.info("could not take %s back: %s", sent.message_id, error)
            return False
        if taken:
            self._taken_back[sent.message_id] = seen.state
        return taken

    async def follow(
        self, run: Run, seconds: float, send_progress: SendProgress = no_progress, *, corrects: bool = True
    ) -> RunReport:
        """Wait for a run as ``observe`` does, answer none of its requests, and report it; 0 seconds only look.

        Raises:
            BackendError: OpenCode could not be read.
        """
        seen = await self.observe(run, Deadline.after(seconds), send_progress, corrects=corrects)
        return await self.report(run, seen)

    async def find(self, session: Session, message_id: str = "") -> Run:
        """Find a run of a session: the one of a given prompt, or the latest.

        Raises:
            NotFound: The session has no prompt, or not that one.
        """
        client = await self._client(session.directory)
        found = await self._find_prompt(client, session, message_id)
        known = self.notes.of(session)
        first = _first_prompt(corrected_prompt(found.id), known)
        if first != found.id:
            found = await self._find_prompt(client, session, first)
        notes = [note for note in known if await _holds(client, session, note, found.id)]
        return Run(
            session.directory,
            session.id,
            found.id,
            *combined(notes),
            limits=tightest(note.limits for note in notes),
            verification=_verification_in(known, found.id),
            words=self.notes.words_of(session, found.id) or found.words,
            stopped=next((note.stopped for note in notes if note.stopped), ""),
        )

    async def _find_prompt(self, client: OpenCodeClient, session: Session, message_id: str) -> "_Prompt":
        """Return a given prompt of a session, or the latest.

        Raises:
            NotFound: The session has no prompt, or not that one.
        """
        if message_id in self._started:
            return _Prompt(message_id, self._started[message_id])
        if message_id:
            return await _existing_prompt(client, session, message_id)
        if latest := await _latest_submitted(client, session.id):
            return _Prompt(latest.id, self._started.get(latest.id) or latest.words)
        raise NoRunYet(
            f"The session {session.id} has no run yet.",
            hint=f'Start one with opencode_run(session_id="{session.id}", prompt=...). If OpenCode stopped while a '
            "prompt was on its way, send that prompt again.",
        )

    async def stop(self, run: Run, seconds: float = ABORT_DEADLINE, reason: str = STOPPED) -> StopResult:
        """Stop a run, its subagents and its verification (``session.abort``); its answer is not corrected any more.

        Args:
            run: The run; one whose session has gone on to another prompt is left alone.
            seconds: How long OpenCode may take until nothing is busy.
            reason: A sentence for the report of a verification that is stopped.

        Raises:
            BackendError: OpenCode could not be asked to stop.
        """
        self._stopped[run.message_id] = True
        was_verified = self._stop_verification(run, reason)
        tree, busy = await self._busy_tree(run)
        still_busy = await tree.stop(seconds, busy) if busy else []
        return StopResult(was_running=bool(busy) or was_verified, busy=still_busy)

    def _stop_verification(self, run: Run, reason: str) -> bool:
        """Stop the verification of a run, if this bridge does it; return True if its command runs."""
        verification = self._verification_of(run)
        return verification is not None and verification.stop(reason)

    async def abort(self, run: Run, *, verified_elsewhere: bool = False) -> tuple[RunReport, StopResult]:
        """Stop a run as ``stop`` does, and report it once it has ended.

        Args:
            run: The run.
            verified_elsewhere: Whether another bridge was asked to stop its verification.

        Raises:
            BackendError: OpenCode could not be asked to stop, or could not be read.
        """
        self._stopped[run.message_id] = True
        was_verified = self._stop_verification(run, STOPPED) or verified_elsewhere
        tree, busy = await self._busy_tree(run)
        stop = await stop_and_compare(tree, ABORT_DEADLINE) if busy else StopResult(was_running=was_verified)
        return await self.follow(run, ABORT_DEADLINE if stop.was_running else 0), stop

    async def _busy_tree(self, run: Run) -> tuple[SessionTree, list[list[str]]]:
        """Return the run's session with its subagents, and which of them are busy, by depth; none with another prompt.

        The messages are not read if no event was missed since OpenCode took the prompt, and it has taken no other.
        """
        client = await self._client(run.directory)
        tree = SessionTree(client, run.session_id, run.directory)
        busy = await tree.busy_levels()
        if not busy or self._hub.state(run.session_id).working_on == run.message_id:
            return tree, busy
        is_other = await is_superseded(client, await self._current(client, run))
        return tree, [] if is_other else busy

    async def _current(self, client: OpenCodeClient, run: Run) -> Run:
        """Return the run of the last prompt: one that sent a failure back, or the correction of an answer."""
        verification = self._verification_of(run)
        if verification and verification.record.repairs:
            run = replace(run, message_id=verification.record.latest_prompt)
        if await self._schema_in_prompt(client, run) is None:
            return run
        return await find_correction(client, run) or run


async def next_message_id(client: OpenCodeClient, session: Session | None) -> str:
    """Make an id for the next prompt by OpenCode's clock.

    Args:
        client: Knows OpenCode's clock.
        session: Where the prompt goes; none: a new session.
    """
    made = new_message_id(client.clock.now())
    if session is None or not client.clock.ahead:
        return made
    # A clock that is read from afar errs by a second, and what came last may be younger.
    last = (await client.session_messages(session.id, limit=1)).items
    return message_id_after(last[-1].info.id, made) if last else made


def _first_prompt(message_id: str, notes: Iterable[Note]) -> str:
    """Return the first prompt of the run to which a prompt belongs, by the notes of its session."""
    return next((note.message_id for note in notes if message_id in note.prompts), message_id)


def _verification_in(notes: Iterable[Note], message_id: str) -> VerificationRecord | None:
    """Return the verification of a prompt's run as the last of some notes has it; ``None`` if none has one."""
    found = [note.verification for note in notes if note.message_id == message_id and note.verification]
    return found[-1] if found else None


async def _holds(client: OpenCodeClient, session: Session, note: Note, message_id: str) -> bool:
    """Return True if a note applies to a prompt: its own, or one that is answered together with its own."""
    return note.message_id in {ANY_PROMPT, message_id} or await is_at_work_on(client, session.id, note.message_id)


@dataclass(frozen=True, slots=True)
class _Prompt:
    """Prompt of a session."""

    id: str
    words: str = ""
    """Its first words; empty if OpenCode does not show it."""


async def _latest_submitted(client: OpenCodeClient, session_id: str) -> _Prompt | None:
    """Return the prompt that a session got last; ``None`` if it has none.

    A prompt that waits in the inbox of OpenCode 2 was not begun, and is there nevertheless. If it were sent again, it
    would be answered twice. The inbox is read first, since prompts move from there to the messages.
    """
    pending = await client.pending_prompts(session_id)
    if pending:
        return _Prompt(pending[-1])
    prompt = await latest_prompt(client, session_id)
    return _Prompt(prompt.info.id, first_words(spoken(prompt))) if prompt else None


async def _existing_prompt(client: OpenCodeClient, session: Session, message_id: str) -> _Prompt:
    """Return a prompt, also for the id of its answer, or refuse to wait for what never was.

    A prompt with ``format`` exists, though OpenCode 1.18 cannot show it.

    Raises:
        NotFound: The session does not have it.
    """
    try:
        message = await client.session_message(session.id, message_id)
        if message.info.role == "assistant" and message.info.parent_id:
            # An answer names its prompt; OpenCode 1 cannot show some prompts.
            return await _existing_prompt(client, session, message.info.parent_id)
        return _Prompt(message_id, first_words(spoken(message)))
    except (InvalidArgument, NotFound) as error:
        if message_id in await client.pending_prompts(session.id):
            return _Prompt(message_id)
        latest = await _latest_submitted(client, session.id)
        gone = "OpenCode removes a prompt that was undone when the session gets another one."
        hint = f"Its latest is {latest.id}. {gone}" if latest else "It has none yet."
        shown = one_line(message_id, LONGEST_ID)
        raise NotFound(f"The session {session.id} has no prompt {shown!r}.", hint=hint) from error
    except BackendFailed as error:
        if not is_unreadable(error):
            raise
        return _Prompt(message_id)
