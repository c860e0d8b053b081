"""Attending to a run for the length of one call: wait, let policy answer, ask the person, wait on.

One body serves both eras. Where the connection lets the server ask (2025), a form is put to the person while the call
waits. Where it does not (2026-07-28), the call returns what it needs as an ``InputRequiredResult``; the client's retry
of the same call brings the answers, and the sealed ``requestState`` tells which run it was, so that it is never started
again. A cancelled call ends the attention, and never the run.
"""

import json
import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import anyio
from mcp.server.mcpserver.exceptions import UnexpectedToolError
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, ClientCapabilities, ElicitRequest, ElicitResult, InputRequiredResult
from pydantic import ValidationError

from opencode_mcp.errors import BackendError, BackendTimeout, BridgeError, CallerError, NotFound
from opencode_mcp.server.bridge import Bridge, BridgeContext, bridge_of
from opencode_mcp.server.results.render import report_data, report_text, result
from opencode_mcp.server.waiting.deadlines import deadlines_of, starting
from opencode_mcp.server.waiting.elicitation import NOT_SHOWN, Unanswered, can_ask, form_of, read_form
from opencode_mcp.server.waiting.progress import Tell, progress_of
from opencode_mcp.server.waiting.tasks_extension import GRACE, task_slot

if TYPE_CHECKING:
    from opencode_mcp.runs.answers.authority import Answerer
    from opencode_mcp.runs.record import Run, Starter
    from opencode_mcp.runs.report import PendingRequest, RunReport

logger = logging.getLogger(__name__)

Outcome = CallToolResult | InputRequiredResult
# A person who is shown a form needs longer than a silent host would wait; hosts with forms do wait for them.
FORM_WAIT = 600.0
FORM_HEARTBEAT = 10.0
LAST_LOOK = 10.0
"""Seconds that reading a run's state and making its report may take, after the wait."""
ABORT_DEADLINE = 1.5
"""A host gives a bridge about two seconds to end."""
ABORT_REST = 10.0
"""How long a cancelled run is stopped in the background, where the first attempt did not do."""
TOO_LATE = "The answer came too late: it was answered elsewhere, or the run went on without it."
ASKED_AGAIN = 1
"""How often a form that was accepted without an answer is shown once more."""


def report_result(report: "RunReport") -> CallToolResult:
    """A run's report as a tool's result."""
    return result(report_text(report), report_data(report), is_shown=True)


def state_of(ctx: BridgeContext) -> dict[str, Any]:
    """What the bridge gave a call to bring again; empty for a call that is made for the first time."""
    return cast("dict[str, Any]", json.loads(ctx.request_state)) if ctx.request_state else {}


async def resumed_run(ctx: BridgeContext) -> "Run | None":
    """The run that a retried call belongs to; ``None`` for a call that has started none yet.

    Raises:
        NotFound: Its session is gone.
        NotAllowed: Its session works in a directory that is not allowed here.
        BackendTimeout: OpenCode has started again meanwhile, and is not ready in time.
    """
    state = state_of(ctx)
    if "run" not in state:
        return None
    from opencode_mcp.runs.record import Run

    run = Run.read(state["run"])
    hint = f'The prompt was handed over before: opencode_wait(session_id="{run.session_id}") reports it.'
    async with starting(ctx, deadlines_of(ctx).start, hint):
        await bridge_of(ctx).fence.session(run.session_id)
    return run


def starter_of(ctx: BridgeContext) -> "Starter":
    """Who is behind the host of a call."""
    return "person" if can_ask(ctx.client_capabilities) else "agent"


def agent_of(ctx: BridgeContext) -> "Answerer":
    """The calling agent, as the one who answers."""
    from opencode_mcp.runs.answers.authority import Answerer

    return Answerer("agent", person_at_hand=can_ask(ctx.client_capabilities))


def form_filler(capabilities: ClientCapabilities | None) -> "Answerer":
    """Who answers by a form: a person, where the client has said that it can show one."""
    from opencode_mcp.runs.answers.authority import PERSON, Answerer

    return PERSON if can_ask(capabilities) else Answerer("agent")


@dataclass(slots=True)
class _Attention:
    """One call's attention to one run."""

    ctx: BridgeContext
    run: "Run"
    deadline: float
    """When the wait ends, in seconds of anyio's clock."""
    asks: bool
    """Whether a person may be asked; who only looks asks nobody."""
    tell: Tell
    note: str = ""
    unanswered: dict[str, str] = field(default_factory=dict[str, str])
    """Requests that a person was asked in this call and did not answer, with what happened."""
    asked: Counter[str] = field(default_factory=Counter[str])
    """How often a person was asked each request."""

    @property
    def bridge(self) -> Bridge:
        return bridge_of(self.ctx)

    async def give(self) -> Outcome:
        """Attend until the run ends, needs what nobody here can give, or the time is over."""
        await self._take_answers()
        while True:
            seconds = max(self.deadline - anyio.current_time(), 0)
            report = await self._follow(seconds)
            request = self._to_ask(report) if self.asks else None
            if request is None:
                self._complete(report)
                return report_result(report)
            if not self.ctx.session.can_send_request:
                return self._ask_by_return(report)
            began = anyio.current_time()
            await self._ask_live(request)
            self.deadline += anyio.current_time() - began

    async def _follow(self, seconds: float) -> "RunReport":
        """Wait for the run; an OpenCode that answers nothing must not keep the call beyond what its host bears."""
        with anyio.move_on_after(seconds + LAST_LOOK):
            return await self.bridge.steward.follow(self.run, seconds, self.tell)
        raise BackendTimeout(f"OpenCode has not shown the run within {LAST_LOOK:.0f} s.")

    def _to_ask(self, report: "RunReport") -> "PendingRequest | None":
        return next((request for request in report.pending if self._is_for_person(request)), None)

    def _is_for_person(self, request: "PendingRequest") -> bool:
        if request.request_id in self.unanswered:
            return False
        return is_for_person(self.bridge, self.run, request, self.ctx.client_capabilities)

    def _complete(self, report: "RunReport") -> None:
        complete(self.bridge, self.run, report, self.ctx.client_capabilities)
        happened = [self.unanswered.get(request.request_id, "") for request in report.pending]
        report.note = " ".join(dict.fromkeys(filter(None, [self.note, *happened])))

    # The 2025 era: a form while the call waits

    async def _ask_live(self, request: "PendingRequest") -> None:
        """Show a form until it is filled, or the request is answered elsewhere."""
        filled: list[ElicitResult] = []
        closed = False
        async with anyio.create_task_group() as tasks:

            async def ask() -> None:
                filled.extend(await self._show_form(request))
                tasks.cancel_scope.cancel()

            tasks.start_soon(ask)
            closed = await self._wait_closed(request)
            tasks.cancel_scope.cancel()
        if filled:
            await self._take_answer(request, filled[0])
        elif not closed:
            self.unanswered[request.request_id] = NOT_SHOWN.reason

    async def _show_form(self, request: "PendingRequest") -> list[ElicitResult]:
        """What the person filled in; nothing where the host could not show the form after all."""
        form = form_of(request)
        try:
            return [await self.ctx.session.elicit_form(form.message, form.requested_schema, self.ctx.request_id)]
        except (MCPError, ValidationError) as error:
            logger.info("the host showed no form: %s", error)
            return []

    async def _wait_closed(self, request: "PendingRequest") -> bool:
        """Wait until a request is not open any more; a person may also answer in a terminal of OpenCode's."""
        with anyio.move_on_after(FORM_WAIT):
            try:
                while not await self.bridge.requests.wait_closed(request, self.run.directory, FORM_HEARTBEAT):
                    await self.tell("waiting for the person's answer")
            except BridgeError as error:
                # Whoever follows the run next sees what became of OpenCode.
                logger.info("could not watch the request %s: %s", request.request_id, error)
            return True
        return False

    # The era of 2026: the call returns what it needs, and is made again

    def _ask_by_return(self, report: "RunReport") -> InputRequiredResult:
        asked = [request for request in report.pending if self._is_for_person(request)]
        state = {
            "run": self.run.as_data(),
            "asked": [request.model_dump(mode="json") for request in asked],
            "unanswered": self.unanswered,
            "times": self.asked,
        }
        return InputRequiredResult(
            input_requests={request.request_id: ElicitRequest(params=form_of(request)) for request in asked},
            request_state=json.dumps(state),
        )

    async def _take_answers(self) -> None:
        """Pass on the answers that a retried call brings."""
        state = state_of(self.ctx)
        if "run" not in state:
            return
        from opencode_mcp.runs.report import PendingRequest

        self.unanswered.update(state["unanswered"])
        self.asked.update(state["times"])
        for request in map(PendingRequest.model_validate, state["asked"]):
            filled = (self.ctx.input_responses or {}).get(request.request_id)
            if isinstance(filled, ElicitResult):
                await self._take_answer(request, filled)
            else:
                self.unanswered[request.request_id] = NOT_SHOWN.reason

    async def _take_answer(self, request: "PendingRequest", filled: ElicitResult) -> None:
        """Pass one answer on; a late or repeated one changes nothing and is no error."""
        self.asked[request.request_id] += 1
        try:
            outcome = await pass_on(self.bridge, request, filled, self.ctx.client_capabilities)
        except NotFound:
            self.note = TOO_LATE
        except CallerError as error:
            self.unanswered[request.request_id] = str(error)
        else:
            if outcome and not (outcome.ask_again and self.asked[request.request_id] <= ASKED_AGAIN):
                self.unanswered[request.request_id] = outcome.reason


async def pass_on(
    bridge: Bridge, request: "PendingRequest", filled: ElicitResult, capabilities: ClientCapabilities | None
) -> Unanswered | None:
    """Pass a filled form on to OpenCode; says why it was no answer.

    Raises:
        NotFound: The request is not open any more.
        NotAllowed: Whoever filled it may not answer so.
        InvalidArgument: The form does not answer what was asked.
    """
    reply = read_form(request, filled)
    if isinstance(reply, Unanswered):
        return reply
    asked = await bridge.answers.find(request.request_id, request.session_id)
    await bridge.answers.give(asked, reply, form_filler(capabilities))
    return None


def is_for_person(
    bridge: Bridge, run: "Run", request: "PendingRequest", capabilities: ClientCapabilities | None
) -> bool:
    """Whether a request is put to the person behind a client."""
    return can_ask(capabilities) and bridge.authority.is_for_person(run, request)


def may_answer(bridge: Bridge, run: "Run", request: "PendingRequest", capabilities: ClientCapabilities | None) -> bool:
    """Whether the calling agent may answer a request: what is the person's only where no person can be asked."""
    return bridge.authority.agent_may_answer(run, request, person_at_hand=can_ask(capabilities))


def complete(bridge: Bridge, run: "Run", report: "RunReport", capabilities: ClientCapabilities | None) -> None:
    """Add to a report who may answer what it asks, and keep in mind that it was asked."""
    person_at_hand = can_ask(capabilities)
    report.denied_tools = bridge.allowed.denied_tools
    for request in report.pending:
        request.agent_may_answer = may_answer(bridge, run, request, capabilities)
        request.agent_may_always = bridge.authority.agent_may_always(run, request, person_at_hand=person_at_hand)
        request.person_here = is_for_person(bridge, run, request, capabilities)
        request.closed = bridge.authority.closed(request, reject=True)
    bridge.requests.remember(report.pending)


async def attend(
    ctx: BridgeContext, run: "Run", wait_seconds: float | None, note: str = "", *, started: bool = False
) -> Outcome:
    """Wait for a run with live progress, ask what it asks, and report it.

    Args:
        ctx: The call.
        run: The run.
        wait_seconds: How long the caller wants to wait from the call's arrival on; ``None``: as long as its host bears.
        note: What to say before the report.
        started: Whether the call began the run, so that its caller must learn of it whatever happens next.

    Raises:
        BridgeError: OpenCode could not be read; not where the call began the run.
        UnexpectedToolError: The bridge failed; the text names the run that the call began.
    """
    settings = bridge_of(ctx).settings
    deadlines = deadlines_of(ctx, wait_seconds)
    deadline, asks = deadlines.wait, deadlines.seconds > 0
    slot = task_slot.get()
    if slot is not None and deadlines.seconds > GRACE:
        slot.run = run
        # What starts slowly is not yet a long run.
        deadline = min(deadline, anyio.current_time() + GRACE)
    try:
        return await _Attention(ctx, run, deadline, asks, progress_of(ctx), note).give()
    except BridgeError as error:
        if not started:
            raise
        return _unseen(bridge_of(ctx), run, error)
    except Exception as error:
        if not started:
            raise
        raise lost_sight(run) from error
    except anyio.get_cancelled_exc_class():
        if settings.abort_on_cancel:
            await _abort_quietly(bridge_of(ctx), run)
        raise


def lost_sight(run: "Run") -> UnexpectedToolError:
    """What a caller is told where the bridge failed after it had handed something over; the cause is for the log."""
    return UnexpectedToolError(
        f"The bridge failed while it followed the prompt {run.message_id} of the session {run.session_id}; its log "
        "says how. OpenCode has the prompt: do not send it again. "
        f'opencode_wait(session_id="{run.session_id}", message_id="{run.message_id}") reports it.'
    )


def _unseen(bridge: Bridge, run: "Run", error: BridgeError) -> CallToolResult:
    """Name a run that was begun and then not seen: an error alone would make the caller begin it again."""
    from opencode_mcp.runs.report import RunReport

    note = f"The prompt was handed over, but not seen since. {error}"
    return report_result(
        RunReport(
            status="running",
            note=note,
            session_id=run.session_id,
            message_id=run.message_id,
            directory=run.directory,
            denied_tools=bridge.allowed.denied_tools,
        )
    )


async def _abort_quietly(bridge: Bridge, run: "Run") -> None:
    """Stop a run whose call was cancelled, where the operator does not deny to stop runs.

    What takes longer than a host waits for a bridge's end goes on beside.
    """
    from opencode_mcp.opencode.operations.catalog import operation

    if not bridge.allowed.allows(operation("session.abort")):
        return
    stopped = False
    with anyio.move_on_after(ABORT_DEADLINE, shield=True):
        stopped = await _stop(bridge, run, ABORT_DEADLINE)
    if not stopped:
        bridge.spawn(_stop, bridge, run, ABORT_REST)


async def _stop(bridge: Bridge, run: "Run", seconds: float) -> bool:
    """Stop a run, and say whether nothing of it is busy any more."""
    try:
        return not (await bridge.runs.stop(run, seconds)).busy
    except BackendError as error:
        logger.info("could not stop %s: %s", run.message_id, error)
        return False
