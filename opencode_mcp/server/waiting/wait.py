"""Wait for a run during one call: the policy answers, the person is asked, and the run is reported once, at the end.

There is one loop, that of the run's follower (``runs/following/follow.py``). This module provides the follower's
``respond`` function: whenever the run has a request that the policy does not decide, the follower calls
``_Wait._respond`` with the open requests, and continues or ends according to its result. The follower's observations
are passed to the report, which is made once, at the end of the wait.

Both eras of MCP use this loop. They differ only in the way in which a form reaches the person:

* In the 2025 era the server may send requests. The form is sent while the call waits, and the follower continues.
* In the era of 2026-07-28 it may not. The follower ends, and the call returns the forms as an ``InputRequiredResult``.
  The client makes the same call again with the filled forms. The encrypted ``requestState`` names the run, so that no
  prompt is sent twice.

Invariants:

* A cancelled call ends the wait and not the run, unless the operator set ``abort_on_cancel``.
* The time that a person takes for a form is not counted: ``Deadline.paused``.
* The call ends ``LAST_READ_SECONDS`` after its deadline at the latest, even if OpenCode does not answer.
* A bridge that shuts down ends its waits (``OpenWaits``): their calls report the runs as they are.
* A form is shown to the person once in a call, and once more if it was accepted without an answer.
* A call that started a run names it in its result, whatever failed afterwards. After a mere error the agent would start
  it a second time.

Rejected alternative: a loop around a follower that ends at every request. It makes a report, with five to ten HTTP
requests, for each form, only to find the open requests; and each new follower reads the run from the start.
"""

import json
import logging
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import anyio
from mcp.server.mcpserver.exceptions import UnexpectedToolError
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CallToolResult,
    ClientCapabilities,
    ElicitRequest,
    ElicitRequestURLParams,
    ElicitResult,
    InputRequiredResult,
)
from pydantic import ValidationError

from opencode_mcp.errors import BackendTimeout, BridgeError, CallerError, NotFound
from opencode_mcp.runs import run_record
from opencode_mcp.runs.outcome import run_report
from opencode_mcp.runs.reports import reporter
from opencode_mcp.server.access.audit_notes.noted_action import note_action
from opencode_mcp.server.bridge import Bridge, BridgeContext, bridge_of
from opencode_mcp.server.new_runs import isolated_runs
from opencode_mcp.server.open_calls import note_wait
from opencode_mcp.server.results.render import result
from opencode_mcp.server.results.run_reports.report_text import report_data, report_text
from opencode_mcp.server.waiting import cancellation
from opencode_mcp.server.waiting.answerers import add_answerers, form_answerer, is_for_person
from opencode_mcp.server.waiting.call_context import task_slot_of
from opencode_mcp.server.waiting.call_deadlines import deadlines_of, start_deadline_of, starting
from opencode_mcp.server.waiting.elicitation import NOT_SHOWN, ElicitationParams, Unanswered, form_of, read_form
from opencode_mcp.server.waiting.progress_notifications import progress_sender

if TYPE_CHECKING:
    from opencode_mcp.runs.deadline import Deadline
    from opencode_mcp.runs.following.wait_callbacks import SendProgress
    from opencode_mcp.runs.outcome.run_report import PendingRequest, RunReport
    from opencode_mcp.runs.run_record import Run

logger = logging.getLogger(__name__)

CallResult = CallToolResult | InputRequiredResult
# A person needs longer for a form than hosts wait for a call without progress; hosts with forms wait for the person.
FORM_SECONDS = 600.0
FORM_HEARTBEAT_SECONDS = 10.0
LAST_READ_SECONDS = 10.0
"""Time for reading a run's state and making its report after the wait."""
TOO_LATE = "The answer came too late: it was answered elsewhere, or the run went on without it."
STARTED_UNSEEN = "OpenCode has the prompt. Its state could not be read: {error} Do not send the prompt again."
REPEATS_OF_EMPTY_FORM = 1
"""Number of times that a form is repeated after it was accepted without an answer."""


def report_result(report: "RunReport") -> CallToolResult:
    """Return a run's report as a tool's result."""
    return result(report_text(report), report_data(report), is_shown=True)


def request_state_of(ctx: BridgeContext) -> dict[str, Any]:
    """Return the state that a repeated call brings back; empty for a call that is made for the first time."""
    return cast("dict[str, Any]", json.loads(ctx.request_state)) if ctx.request_state else {}


async def resumed_run(ctx: BridgeContext) -> "Run | None":
    """Return the run that a repeated call belongs to; ``None`` for a call that has started none yet.

    Raises:
        NotFound: Its session was deleted.
        NotAllowed: Its session works in a directory that is not allowed here.
        BackendTimeout: OpenCode was restarted meanwhile, and is not ready in time.
    """
    state = request_state_of(ctx)
    if "run" not in state:
        return None

    run = run_record.Run.read(state["run"])
    hint = f'The prompt was sent before: opencode_wait(session_id="{run.session_id}") reports it.'
    async with starting(ctx, start_deadline_of(ctx), hint):
        await bridge_of(ctx).fence.session(run.session_id)
    return run


async def wait_for_run(
    ctx: BridgeContext,
    run: "Run",
    wait_seconds: float | None,
    note: str = "",
    *,
    note_if_running: str = "",
    started: bool = False,
) -> CallResult:
    """Wait for a run with live progress, show its requests to the person, and report it.

    Args:
        ctx: The call.
        run: The run.
        wait_seconds: Seconds that the caller wants to wait, from the call's arrival on; ``None``: as long as its host
            allows. If it is 0, no form is shown.
        note: Text to put before the report.
        note_if_running: Text to put before the report of a run that goes on, if there is no other.
        started: Whether the call started the run, so that its result must name it in any case.

    Raises:
        BridgeError: The run could not be read; not raised if the call started the run, or OpenCode is only slow.
        UnexpectedToolError: The bridge failed; the text names the run that the call started.
    """
    bridge = bridge_of(ctx)
    note_action(session=run.session_id)
    try:
        limits = _limits(ctx, run, wait_seconds)
        return await _Wait(ctx, run, *limits, progress_sender(ctx), note, note_if_running).outcome()
    except BridgeError as error:
        if not started and not isinstance(error, BackendTimeout):
            raise
        return _unseen(bridge, run, note or note_if_running, error, started=started)
    except Exception as error:
        if not started:
            raise
        raise following_failed(run) from error
    except anyio.get_cancelled_exc_class():
        await cancellation.stop_cancelled(bridge, run)
        raise


def _limits(ctx: BridgeContext, run: "Run", wait_seconds: float | None) -> "tuple[Deadline, bool]":
    """Return the deadline of a wait, and whether a person may be asked, which needs time to wait."""
    deadlines, waits = deadlines_of(ctx, wait_seconds), bridge_of(ctx).waits
    slot = task_slot_of(ctx)
    if slot is None or deadlines.seconds <= slot.grace_seconds:
        return waits.deadline(deadlines.wait, deadlines.latest), deadlines.seconds > 0
    slot.run = run
    # Counted from now, since the time of a slow start does not belong to the run.
    return waits.deadline(min(deadlines.wait, anyio.current_time() + slot.grace_seconds), deadlines.latest), True


@dataclass(slots=True)
class _Wait:
    """Wait of one call for one run."""

    ctx: BridgeContext
    run: "Run"
    deadline: "Deadline"
    asks: bool
    """True if a person may be asked."""
    send_progress: "SendProgress"
    note: str
    note_if_running: str = ""
    unanswered: dict[str, str] = field(default_factory=dict[str, str])
    """Requests whose form brought no answer in this call, each with the reason."""
    times_asked: Counter[str] = field(default_factory=Counter[str])
    limit: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    """Scope that ends the call if OpenCode does not answer. It has no deadline while a form is shown."""

    @property
    def bridge(self) -> Bridge:
        return bridge_of(self.ctx)

    async def outcome(self) -> CallResult:
        """Wait until the run ends, needs an answer that this call cannot get, or time is up; then report it."""
        await self._take_returned_answers()
        self.bridge.supervision.add(self.run)
        note_wait()
        self._limit_call()
        with self.limit:
            seen = await self.bridge.runs_under_policy.observe(
                self.run, self.deadline, self.send_progress, self._respond
            )
            if asked := self._for_person(seen.pending):
                return self._input_required(asked)
            report = await self.bridge.runs_under_policy.report(self.run, seen)
            await self._complete(report)
            return report_result(report)
        raise BackendTimeout(f"OpenCode did not return the run's state within {LAST_READ_SECONDS:.0f} s.")

    def _limit_call(self) -> None:
        # A start that took all the time leaves time for a look.
        self.limit.deadline = max(self.deadline.at, anyio.current_time()) + LAST_READ_SECONDS

    def _for_person(self, pending: "list[PendingRequest]") -> "list[PendingRequest]":
        """Return the requests that the person is to be asked now."""
        if not self.asks:
            return []
        return [request for request in pending if self._is_for_person(request)]

    def _is_for_person(self, request: "PendingRequest") -> bool:
        if request.request_id in self.unanswered:
            return False
        return is_for_person(self.bridge, self.run, request, self.ctx.client_capabilities)

    async def _complete(self, report: "RunReport") -> None:
        add_answerers(self.bridge, self.run, report, self.ctx.client_capabilities)
        note = self.note or (self.note_if_running if report.status == "running" else "")
        report.note = joined_notes(note, self.unanswered, report)
        if report.status == "running":
            report.also_running = self._others_at_work()
        await isolated_runs.add_place(self.bridge, self.run, report)

    def _others_at_work(self) -> list[str]:
        """Return the sessions of the other started runs that go on, by the events; after a gap they are not known."""
        hub, started = self.bridge.hub, self.bridge.runs.known.started
        others = [session_id for session_id in started if session_id != self.run.session_id]
        return [session_id for session_id in others if hub.state(session_id).working_on == started[session_id]]

    # The 2025 era: the form is shown while the call waits

    async def _respond(self, pending: "list[PendingRequest]") -> "list[PendingRequest]":
        """Show the first request that is for the person; see ``Respond``."""
        asked = self._for_person(pending)
        if not asked or not self.ctx.session.can_send_request:
            return pending
        self.limit.deadline = math.inf
        with self.deadline.paused():
            await self._ask_live(asked[0])
        self._limit_call()
        return []

    async def _ask_live(self, request: "PendingRequest") -> None:
        """Show a form until the person fills it, or the request is answered elsewhere."""
        filled: list[ElicitResult] = []
        closed = False
        async with anyio.create_task_group() as tasks:

            async def ask() -> None:
                filled.extend(await self._show_form(request))
                tasks.cancel_scope.cancel()

            async def end_early() -> None:
                with anyio.CancelScope(deadline=self.deadline.latest):
                    await self.deadline.ended.wait()
                tasks.cancel_scope.cancel()

            tasks.start_soon(ask)
            tasks.start_soon(end_early)
            closed = await self._wait_closed(request)
            tasks.cancel_scope.cancel()
        if filled:
            await self._take_answer(request, filled[0])
        elif not closed:
            self.unanswered[request.request_id] = NOT_SHOWN.reason

    async def _show_form(self, request: "PendingRequest") -> list[ElicitResult]:
        """Return the filled form; an empty list if the host could not show it after all."""
        form = form_of(request, self.ctx.client_capabilities)
        try:
            return [await self._send_form(form)]
        except (MCPError, ValidationError) as error:
            logger.info("the host showed no form: %s", error)
            return []

    async def _send_form(self, form: ElicitationParams) -> ElicitResult:
        session = self.ctx.session
        if isinstance(form, ElicitRequestURLParams):
            return await session.elicit_url(form.message, form.url, form.elicitation_id or "", self.ctx.request_id)
        return await session.elicit_form(form.message, form.requested_schema, self.ctx.request_id)

    async def _wait_closed(self, request: "PendingRequest") -> bool:
        """Wait until a request is not open any more; a person may also answer in a terminal of OpenCode's."""
        with anyio.move_on_after(FORM_SECONDS):
            try:
                while not await self.bridge.requests.wait_closed(request, self.run.directory, FORM_HEARTBEAT_SECONDS):
                    await self.send_progress("waiting for the person's answer")
            except BridgeError as error:
                # The follower finds out whether OpenCode is gone.
                logger.info("could not watch the request %s: %s", request.request_id, error)
            return True
        return False

    # The 2026 era: the call returns the forms, and the client repeats it

    def _input_required(self, asked: "list[PendingRequest]") -> InputRequiredResult:
        state = {
            "run": self.run.as_data(),
            "asked": [request.model_dump(mode="json") for request in asked],
            "unanswered": self.unanswered,
            "times": self.times_asked,
        }
        forms = {request.request_id: form_of(request, self.ctx.client_capabilities) for request in asked}
        return InputRequiredResult(
            input_requests={key: ElicitRequest(params=form) for key, form in forms.items()},
            request_state=json.dumps(state),
        )

    async def _take_returned_answers(self) -> None:
        """Pass on the answers that a repeated call brings."""
        state = request_state_of(self.ctx)
        if "run" not in state:
            return

        self.unanswered.update(state["unanswered"])
        self.times_asked.update(state["times"])
        for request in map(run_report.PendingRequest.model_validate, state["asked"]):
            filled = (self.ctx.input_responses or {}).get(request.request_id)
            if isinstance(filled, ElicitResult):
                await self._take_answer(request, filled)
            else:
                self.unanswered[request.request_id] = NOT_SHOWN.reason

    async def _take_answer(self, request: "PendingRequest", filled: ElicitResult) -> None:
        """Pass one answer on; a late or repeated answer has no effect and is no error."""
        self.times_asked[request.request_id] += 1
        try:
            unanswered = await pass_on(self.bridge, request, filled, self.ctx.client_capabilities)
        except NotFound:
            self.note = TOO_LATE
        except CallerError as error:
            self.unanswered[request.request_id] = str(error)
        else:
            if unanswered and not (unanswered.ask_again and self._may_repeat(request)):
                self.unanswered[request.request_id] = unanswered.reason

    def _may_repeat(self, request: "PendingRequest") -> bool:
        return self.times_asked[request.request_id] <= REPEATS_OF_EMPTY_FORM


async def pass_on(
    bridge: Bridge, request: "PendingRequest", filled: ElicitResult, capabilities: ClientCapabilities | None
) -> Unanswered | None:
    """Pass a filled form on to OpenCode; return the reason if it held no answer.

    Raises:
        NotFound: The request is not open any more.
        NotAllowed: The answerer may not answer so.
        InvalidArgument: The form does not answer the request.
    """
    reply = read_form(request, filled, capabilities)
    if isinstance(reply, Unanswered):
        return reply
    asked = await bridge.reply_sender.find(request.request_id, request.session_id)
    await bridge.reply_sender.send(asked, reply, form_answerer(capabilities))
    return None


def joined_notes(note: str, unanswered: Mapping[str, str], report: "RunReport") -> str:
    """Join a note, that of a report, and the reasons why its requests are unanswered, each once."""
    reasons = [unanswered.get(request.request_id, "") for request in report.pending]
    return " ".join(dict.fromkeys(filter(None, [note, report.note, *reasons])))


def following_failed(run: "Run") -> UnexpectedToolError:
    """Return the error for a bridge that failed after it had sent something; the cause is for the log."""
    return UnexpectedToolError(
        f"This MCP server failed while it followed the prompt {run.message_id} of the session {run.session_id}; see "
        "its log. OpenCode has the prompt: do not send it again. "
        f'opencode_wait(session_id="{run.session_id}", message_id="{run.message_id}") reports it.'
    )


def _unseen(bridge: Bridge, run: "Run", note: str, error: BridgeError, *, started: bool) -> CallToolResult:
    """Report a run that OpenCode has, but that could not be read."""
    failure = (STARTED_UNSEEN if started else reporter.UNSEEN).format(error=error)
    report = reporter.unseen_report(run, " ".join(filter(None, [note, failure])))
    report.unlisted_tools = bridge.unlisted_tools
    return report_result(report)
