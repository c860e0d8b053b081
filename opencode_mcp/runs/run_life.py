"""The life of a prompt: start it, follow it, find it again, stop it.

A run belongs to OpenCode, not to the request that started it. Everything here works from directory, session id and
message id, which any bridge can have; what ``Runs`` keeps (``known_prompts.py``) is a cache.

``Runs`` decides in which order the parts of ``runs/`` are used; each part does one thing:

1. Start (``start``). The prompt is checked (``prompting/``). The session's turn is taken, and the note on the run is
   written (``starting/session_turns.py``). Only then is the prompt sent (``starting/prompt_poster.py``), so there is no
   run that a second bridge would answer more loosely.
2. Observe (``observe``). One follower waits for each prompt of the run (``following/``). A run may have several: one
   that asks for a corrected answer, and those that send the failure of a verification back. A prompt that was stopped
   before it began is withdrawn.
3. Report (``report``). What was seen becomes a report (``reports/``). What this bridge knows besides is added, such as
   the verification and the reason of a stop.
4. Stop (``stop``, ``abort``). A run is stopped only if its session has not gone on to another prompt. Its subagents are
   stopped with it (``session_stopping.py``).

Who answers the requests of a run is not decided here: ``answers/runs_under_policy.py`` waits on behalf of the tools.

Rejected:

* An object for each run, with a task that follows it from its start. Its state would be a second copy of OpenCode's,
  would end with the bridge, and would be missing for a run that another bridge has started.
* Reporting within ``observe``. A report reads more than a wait does, and a caller that waits for many runs reports them
  only at the end.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from opencode_mcp.errors import BackendError, BridgeError, NotFound
from opencode_mcp.events.hub import Hub
from opencode_mcp.isolation.worktree_records import Records
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.read_group import at_once
from opencode_mcp.opencode.http_client.transport import READ_TIMEOUT_SECONDS
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.deadline import Deadline
from opencode_mcp.runs.following.follow import Follower
from opencode_mcp.runs.following.observation import Observation
from opencode_mcp.runs.following.schema_corrections import find_correction, observe_corrected, read_schema
from opencode_mcp.runs.following.verified_runs import observe_verified
from opencode_mcp.runs.following.wait_callbacks import Respond, SendProgress, leave_open, no_progress
from opencode_mcp.runs.known_prompts import KnownPrompts
from opencode_mcp.runs.outcome.answer_summary import first_words
from opencode_mcp.runs.outcome.run_report import RunReport, add_verification
from opencode_mcp.runs.outcome.state import IDLE_WITHOUT_END, State
from opencode_mcp.runs.output_schema.schema_in_prompt import correction_id
from opencode_mcp.runs.prompting.prompt import Prompt, check_prompt
from opencode_mcp.runs.prompting.reload import InstanceReload
from opencode_mcp.runs.reports.integrated_work import brought_back, no_other_work
from opencode_mcp.runs.reports.reporter import LEFT_IN_INBOX, WITHDRAWN, changed_settings, report_run
from opencode_mcp.runs.run_lookup import find_run, find_run_to_stop
from opencode_mcp.runs.run_note import Notes
from opencode_mcp.runs.run_record import Run, is_removed, is_session_deleted, is_superseded, latest_prompt
from opencode_mcp.runs.session_stopping import SessionTree, StopResult, stop_and_compare
from opencode_mcp.runs.starting.prompt_poster import LEAST_POST_SECONDS, PromptPoster, next_message_id
from opencode_mcp.runs.starting.session_lock import SessionLocks
from opencode_mcp.runs.starting.session_turns import SessionTurns
from opencode_mcp.runs.starting.start_options import StartOptions
from opencode_mcp.runs.unpriced_models import unknown_cost
from opencode_mcp.runs.verification.verification_progress import Verification, Verifications
from opencode_mcp.runs.verification.wanted_verification import Verify

logger = logging.getLogger(__name__)

ABORT_SECONDS = 10.0
"""Time that OpenCode may take to stop a run."""
SETTLE_SECONDS = 2.0
"""Time in which OpenCode must complete the answer of a run that it does not work on any more."""
STOPPED = "It was stopped."


class Runs:
    """Starts runs and finds them again.

    Args:
        hub: The events of the server that they run on.
        notes: Where it is noted who answers what a run asks.
        session_locks: Keeps others out of a session while something is started in it; none: only this process's.
        instance_reload: Makes OpenCode read new files; without it, new names stay unknown.
        worktrees: Records of isolated worktrees, whose work may be brought to where others work; none: there are none.
    """

    def __init__(
        self,
        hub: Hub,
        notes: Notes,
        session_locks: SessionLocks | None = None,
        instance_reload: InstanceReload | None = None,
        worktrees: Records | None = None,
    ) -> None:
        self._hub = hub
        self.other_work = brought_back(worktrees) if worktrees else no_other_work
        """Reads what was changed in a directory without a session that works there."""
        self.notes = notes
        self.instance_reload = instance_reload or InstanceReload()
        self.verifications = Verifications()
        """The verifications of runs, as far as this bridge knows of them."""
        self.known = KnownPrompts()
        """The prompts that were sent from here."""
        self.turns = SessionTurns(hub, notes, self.verifications, session_locks, self.instance_reload)
        """The turns in sessions."""
        self.poster = PromptPoster(hub, self.known)
        """Sends prompts."""

    async def start(
        self,
        prompt: Prompt,
        session: Session | None = None,
        options: StartOptions | None = None,
        *,
        verify: Verify | None = None,
    ) -> Run:
        """Hand a prompt to OpenCode (``session.prompt_async``).

        Args:
            prompt: What to do.
            session: The session to go on in; none: a new one.
            options: What it has in common with the start of a slash command.
            verify: How its work is verified, which its note keeps; ``enforcement/`` does it.

        Raises:
            CallerError: What ``check_prompt`` refuses.
            SessionBusy: The session has a run already.
            BackendError: OpenCode could not be reached; nothing was started.
        """
        options = options or StartOptions()
        client = await self.turns.client_in(prompt.directory)
        await check_prompt(client, prompt, self.instance_reload)
        words = first_words(prompt.text)
        message_id = prompt.message_id or await next_message_id(client, session)
        note = self.notes.new(message_id, options.caller_limit, options.starter, words, options.limits, verify)
        begun = session or await self.turns.begin_session(client, prompt.directory, note, prompt.settings, prompt.title)
        is_new = session is None
        async with (
            self.turns.not_left_empty(client, begun, options.deadline, is_new=is_new),
            self.turns.turn(begun, is_new=is_new) as client,
        ):
            run = await self.turns.noted(client, begun, note, options.deadline, is_new=is_new)
            await options.announce(run)
            seconds = options.deadline.remaining(at_least=LEAST_POST_SECONDS, at_most=READ_TIMEOUT_SECONDS)
            await self.poster.post(client, run, prompt, seconds, is_first=is_new)
            return run

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
            deadline: When to stop waiting; one that has passed allows one read.
            send_progress: Gets a line of progress at most four times a second, at least every ten seconds.
            respond: Answers the run's requests.
            corrects: Whether an answer that does not fit a schema in the prompt is to be corrected (once).

        Raises:
            BackendError: OpenCode could not be read.
        """

        async def observe_prompt(prompt: Run) -> Observation:
            return await self.observe_prompt(prompt, deadline, send_progress, respond, corrects=corrects)

        verification = self._verification_of(run)
        try:
            if verification is None:
                seen = await observe_prompt(run)
            else:
                seen = await observe_verified(run, verification, observe_prompt, deadline, send_progress)
        except NotFound as error:
            return await self._deletion_of(run, error)
        if seen.is_never_started:
            seen.is_withdrawn = await self._withdraw(run, seen)
        return seen

    async def _deletion_of(self, run: Run, error: NotFound) -> Observation:
        """Return the observation of a run whose session was deleted.

        Raises:
            NotFound: The given error, since the session exists: something else was not found.
        """
        client = await self.turns.client_in(run.directory)
        if not await is_session_deleted(client, run.session_id):
            raise error
        goes_on = run.session_id in await client.session_status(run.directory)
        return Observation(client, State.ABORTED, is_session_deleted=True, is_still_at_work=goes_on)

    def is_verified_now(self, run: Run) -> bool:
        """Return True if a task of this bridge verifies the work of a run, or waits for its end to do so."""
        verification = self._verification_of(run)
        return verification is not None and verification.is_pending

    def _verification_of(self, run: Run) -> Verification | None:
        return self.verifications.track(run.session_id, run.message_id, run.verification)

    async def observe_prompt(
        self,
        run: Run,
        deadline: Deadline,
        send_progress: SendProgress = no_progress,
        respond: Respond = leave_open,
        *,
        corrects: bool = True,
    ) -> Observation:
        """Wait as ``observe`` does for one prompt, whatever follows it; ``run`` is the run of that prompt alone.

        Raises:
            BackendError: OpenCode could not be read.
        """
        client = await self.turns.client_in(run.directory)
        if run.message_id in self.known.withdrawn:
            return Observation(client, self.known.withdrawn[run.message_id], is_never_started=True)
        if not self._is_latest(run) and await is_removed(client, run):
            return Observation(client, State.ABORTED, is_removed=True)

        async def follow_once(run: Run) -> Observation:
            return await Follower(client, self._hub, run, send_progress, respond).follow(deadline)

        async def send(run: Run, text: str) -> Run | None:
            return None if deadline.ended.is_set() else await self._send_correction(run, text)

        schema = await self._schema_in_prompt(client, run)
        if schema is None:
            return await follow_once(run)
        may_correct = corrects and run.message_id not in self.known.stopped
        return await observe_corrected(client, run, schema, follow_once, send if may_correct else None)

    def _is_latest(self, run: Run) -> bool:
        """Return True if the event stream shows that a run's prompt is the latest one of its session."""
        prompts = self._hub.state(run.session_id).prompts
        return bool(prompts) and prompts[-1] == run.message_id

    async def _schema_in_prompt(self, client: OpenCodeClient, run: Run) -> Mapping[str, Any] | None:
        """Return the schema of a run's answer where it is part of the prompt; ``None`` for any other run."""
        if (await client.features()).output_schemas:
            return None
        if run.message_id not in self.known.schemas:
            self.known.schemas[run.message_id] = await read_schema(client, run)
        return self.known.schemas[run.message_id]

    async def _send_correction(self, run: Run, text: str) -> Run | None:
        """Ask for a corrected answer (``session.prompt``), unless the session has gone on to another prompt.

        A failure is no loss: the run has ended, and the next one who looks at it tries again.
        """
        correction = replace(run, message_id=correction_id(run.message_id))
        session = Session(id=run.session_id, directory=run.directory)
        try:
            async with self.turns.turn(session) as client:
                latest = await latest_prompt(client, run.session_id)
                if latest is None or latest.info.id != run.message_id:
                    return await find_correction(client, run)
                prompt = Prompt(text=text, directory=run.directory)
                await self.poster.post(client, correction, prompt, LEAST_POST_SECONDS)
        except BridgeError as error:
            logger.info("could not ask for a corrected answer to %s: %s", run.message_id, error)
            return None
        return correction

    async def report(self, run: Run, seen: Observation, *, for_caller: bool = True) -> RunReport:
        """Report a run as it was seen (``session.messages``, ``session.diff`` and others).

        Args:
            run: The run.
            seen: The run as it was seen last.
            for_caller: True if a caller gets the report: the first such report says what the prompt changed in its
                session.

        Raises:
            BackendError: OpenCode could not be read.
        """
        report = await self._report_of(run, seen)
        report.not_started = seen.is_never_started
        if seen.is_never_started:
            report.note = WITHDRAWN if seen.is_withdrawn else LEFT_IN_INBOX
        unknown = await self._unknown_cost(run, seen, report)
        changed = self._take_changed_settings(run) if for_caller else ""
        report.note = " ".join(filter(None, [report.note, unknown, changed]))
        if verification := self._verification_of(run):
            add_verification(report, verification.record)
        reason = self.known.stop_reasons.get(run.message_id) or run.stopped
        if reason and report.status == "aborted":
            report.shortfall, report.at_limit = " ".join(filter(None, [reason, report.last_calls])), True
        return report

    async def _report_of(self, run: Run, seen: Observation) -> RunReport:
        """Report a run as it was seen, or as its session was deleted since then."""
        schema = self.known.schemas.get(run.message_id)
        try:
            return await report_run(self._hub, run, seen, schema, self.other_work)
        except NotFound as error:
            return await report_run(self._hub, run, await self._deletion_of(run, error), schema)

    async def _unknown_cost(self, run: Run, seen: Observation, report: RunReport) -> str:
        """Return a note if the cost of a run has a limit and cannot be known; empty otherwise."""
        if run.limits.max_cost is None or report.lost:
            return ""
        model = report.model or self.known.models.get(run.message_id, "")
        return unknown_cost(await seen.client.used_providers(run.directory), model)

    def _take_changed_settings(self, run: Run) -> str:
        """Return a note on what the prompt changed in its session, and forget it; empty if it changed nothing."""
        accepted = self.known.accepted.pop(run.message_id, None)
        return changed_settings(accepted) if accepted else ""

    async def _withdraw(self, run: Run, seen: Observation) -> bool:
        """Withdraw a prompt that was never begun, or the session's next prompt would begin it; return success.

        A prompt that was not sent from here may be somebody's who wants it to begin then.
        """
        sent = seen.correction or run
        if sent.message_id in self.known.withdrawn:
            return True
        if sent.message_id not in self.known.words:
            return False
        try:
            is_withdrawn = await seen.client.withdraw_prompt(sent.session_id, sent.message_id)
        except BackendError as error:
            logger.info("could not withdraw %s: %s", sent.message_id, error)
            return False
        if is_withdrawn:
            self.known.withdrawn[sent.message_id] = seen.state
        return is_withdrawn

    async def follow(
        self, run: Run, seconds: float, send_progress: SendProgress = no_progress, *, corrects: bool = True
    ) -> RunReport:
        """Wait for a run as ``observe`` does, answer none of its requests, and report it; 0 seconds only read.

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
        client = await self.turns.client_in(session.directory)
        return await find_run(client, self.notes, self.known.words, session, message_id)

    async def find_to_stop(self, session: Session) -> Run:
        """Find the run that OpenCode works on in a session, or the latest if it works on none.

        Raises:
            NotFound: The session has no prompt.
        """
        client = await self.turns.client_in(session.directory)
        return await find_run_to_stop(client, self.notes, self.known.words, session)

    async def stop(self, run: Run, seconds: float = ABORT_SECONDS, reason: str = STOPPED) -> StopResult:
        """Stop a run, its subagents and its verification (``session.abort``); its answer is not corrected any more.

        Args:
            run: The run; one whose session has gone on to another prompt is left alone.
            seconds: How long OpenCode may take until nothing is busy.
            reason: A sentence for the report of a verification that is stopped.

        Raises:
            BackendError: OpenCode could not be asked to stop.
        """
        was_verified = self._begin_stop(run, reason)
        tree, busy = await self._busy_tree(run)
        still_busy = await tree.stop(seconds, busy) if busy else []
        return StopResult(was_running=bool(busy) or was_verified, busy=still_busy)

    def _begin_stop(self, run: Run, reason: str) -> bool:
        """Note that a run is stopped, and stop its verification if this bridge does it; return True if that runs."""
        self.known.stopped[run.message_id] = True
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
        was_verified = self._begin_stop(run, STOPPED) or verified_elsewhere
        tree, busy = await self._busy_tree(run)
        stop = await stop_and_compare(tree, ABORT_SECONDS) if busy else StopResult(was_running=was_verified)
        seen = await self.observe(run, Deadline.after(ABORT_SECONDS if stop.was_running else SETTLE_SECONDS))
        if not stop.was_running and seen.state in IDLE_WITHOUT_END:
            # Nobody works on it, and nothing more comes of it.
            seen.state = State.LOST
        return await self.report(run, seen), stop

    async def _busy_tree(self, run: Run) -> tuple[SessionTree, list[list[str]]]:
        """Return the run's session with its subagents, and which of them are busy, by depth; none with another prompt.

        The messages are not read if no event was missed since OpenCode took the prompt, and it has taken no other. If
        another prompt waits in the inbox of OpenCode 2, it may begin at any moment, before its event comes.
        """
        client = await self.turns.client_in(run.directory)
        tree = SessionTree(client, run.session_id, run.directory)
        async with at_once() as reads:
            waiting = reads.start(client.pending_prompts, run.session_id)
            levels = reads.start(tree.busy_levels)
        busy, is_alone = levels.value, not set(waiting.value) - {run.message_id}
        if not busy or (is_alone and self._hub.state(run.session_id).working_on == run.message_id):
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
