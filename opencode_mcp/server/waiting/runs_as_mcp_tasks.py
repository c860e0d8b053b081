"""Runs as MCP tasks: a task's id names its run, and its state is read from OpenCode.

The bridge stores no tasks, so a task survives a restart of the bridge: every bridge with the key of the state folder
can report it. The id is encrypted and authenticated: a client can neither read nor forge it.
"""

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from mcp.server.context import CallNext, HandlerResult
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, CallToolRequestParams, CallToolResult, ElicitRequest, ElicitResult
from pydantic import ValidationError

from opencode_mcp.bounded_dict import BoundedDict
from opencode_mcp.errors import (
    SCOPE_REMEDY,
    BackendError,
    BridgeError,
    CallerError,
    NotAllowed,
    NotFound,
    SettingsChange,
)
from opencode_mcp.runs import deadline, run_record
from opencode_mcp.server.access.audit_notes.noted_action import note_action
from opencode_mcp.server.access.audit_notes.refused_calls import note_refusal, reason_of
from opencode_mcp.server.access.missing_scopes import scope_of
from opencode_mcp.server.access.operations_of_tools import STOP, TOOL_USES
from opencode_mcp.server.new_runs import isolated_runs
from opencode_mcp.server.results.duplicate_text import without_repeated
from opencode_mcp.server.results.host_settings import SettingsOwner
from opencode_mcp.server.results.render import explain, result, without_tools
from opencode_mcp.server.results.safe_text import shown
from opencode_mcp.server.results.schemas import REPORT_TEXTS
from opencode_mcp.server.tokens.token_codec import TokenCodec
from opencode_mcp.server.waiting.answerers import add_answerers, is_for_person
from opencode_mcp.server.waiting.call_context import CallContext, McpRequestContext, TaskSlot
from opencode_mcp.server.waiting.elicitation import ElicitationParams, Unanswered, form_of
from opencode_mcp.server.waiting.host_limits import reads_data_alone
from opencode_mcp.server.waiting.tasks_extension import TaskState
from opencode_mcp.server.waiting.wait import joined_notes, pass_on, report_result
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from opencode_mcp.runs.outcome.run_report import PendingRequest, RunReport
    from opencode_mcp.runs.run_record import Run
    from opencode_mcp.server.bridge import Bridge
    from opencode_mcp.settings import Settings

TOOLS = ("opencode_run", "opencode_run_many", "opencode_wait", "opencode_command")
KEPT_TASKS = 1000
GRACE_SECONDS = 1.5
"""Time that a call may take before it becomes a task. A quick call returns a plain result."""
UNREACHABLE_SECONDS = 60.0
"""Seconds without a response of OpenCode after which a task counts as ended. Clients do not poll an ended task."""
STOPPING_TOOL = "opencode_abort"
ANSWERING_TOOLS = {"permission": "opencode_reply_permission", "question": "opencode_reply_question"}
"""Tools that do the same as the requests of tasks, for the audit log."""
ENDS = frozenset({"completed", "cancelled"})
KIND = "task"
AGAIN = "_again"
UNREADABLE = "The response to the form is not valid in MCP, so the request is still open."


class RunMcpTasks:
    """``TaskSource`` that makes tasks of runs.

    Args:
        codec: Encrypts and decrypts the ids.
    """

    def __init__(self, codec: TokenCodec) -> None:
        self.codec = codec
        """Encrypts and decrypts the ids."""
        self._unanswered = BoundedDict[str, str](KEPT_TASKS)
        """Requests whose form came back without an answer, each with the reason. Their form is not shown again."""
        self._asked_again = BoundedDict[str, None](KEPT_TASKS)
        """Requests whose form was accepted without an answer, and is shown once more."""
        self._ended = BoundedDict[str, TaskState](KEPT_TASKS)
        self._unreachable_since = BoundedDict[str, float](KEPT_TASKS)
        """Time of the first failed request to OpenCode, by task."""

    async def offer(
        self, params: CallToolRequestParams, ctx: McpRequestContext, call_next: CallNext
    ) -> HandlerResult | TaskState:
        """Make a call; if its run has not ended after the grace period, it becomes a task."""
        del params
        if not isinstance(ctx, CallContext) or not _serves_tasks(ctx):
            return await call_next(ctx)
        slot = TaskSlot(GRACE_SECONDS)
        outcome = await call_next(replace(ctx, task_slot=slot))
        if not _still_runs(outcome):
            return outcome
        now = time_now()
        if slot.batch:
            return self._batch_task(slot.batch, now, ctx) or outcome
        if slot.run is None:
            return outcome
        return TaskState(
            task_id=self._id_of(slot.run, now),
            status="working",
            created=now,
            updated=now,
            message=_activity(outcome),
            model_text=without_tools(_address(slot.run), cast("Bridge", ctx.lifespan_context).unlisted_tools),
        )

    def _batch_task(self, _names: tuple[str, ...], _now: str, _ctx: McpRequestContext) -> TaskState | None:
        """Return the task for a wait for a batch; None, since this source knows no batches."""
        return None

    async def get(self, task_id: str, ctx: McpRequestContext) -> TaskState | None:
        """Return the task in the present state of its run; an ended task does not change any more.

        Raises:
            MCPError: The operator denies to report runs.
        """
        await check_tasks_served(ctx)
        if task_id in self._ended:
            return self._ended[task_id]
        opened = self._open(task_id)
        if opened is None:
            return None
        run, created = opened
        found = await self._read_task(task_id, run, ctx)
        if found is None:
            return None
        task = TaskState(task_id=task_id, created=created, updated=time_now(), **found)
        if task.status in ENDS:
            self._ended[task_id] = task
        return task

    async def _read_task(self, task_id: str, run: "Run", ctx: McpRequestContext) -> dict[str, Any] | None:
        """Return a task's present state; if OpenCode does not answer, it stays ``working`` for some time.

        The result is ``None`` for a run that the caller may not see, as if it did not exist.
        """
        try:
            if not await _is_callers(run, ctx):
                return None
            found = await self._read_run(run, ctx)
        except BackendError as error:
            since = self._unreachable_since.setdefault(task_id, time.monotonic())
            if time.monotonic() - since < UNREACHABLE_SECONDS:
                return {"status": "working", "message": one_line(shown(error.message))}
            found = _failure(error)
        except BridgeError as error:
            found = _failure(error)
        self._unreachable_since.pop(task_id, None)
        return found

    async def _read_run(self, run: "Run", ctx: McpRequestContext) -> dict[str, Any]:
        bridge = cast("Bridge", ctx.lifespan_context)
        capabilities = ctx.session.client_capabilities
        bridge.supervision.add(run)
        report = await bridge.runs_under_policy.report_now(run)
        add_answerers(bridge, run, report, capabilities)
        report.note = joined_notes("", self._unanswered, report)
        await isolated_runs.add_place(bridge, run, report)
        asked = [
            request
            for request in report.pending
            if request.request_id not in self._unanswered and is_for_person(bridge, run, request, capabilities)
        ]
        asked_by_key = {self._key(request): request for request in asked}
        forms = {key: form_of(request, capabilities) for key, request in asked_by_key.items()}
        return _progress(report, asked_by_key, forms, data_alone=reads_data_alone(ctx.session))

    def _key(self, request: "PendingRequest") -> str:
        """Return the key of a form in a task; no key is used twice."""
        return f"{request.request_id}{AGAIN if request.request_id in self._asked_again else ''}"

    async def update(self, task_id: str, responses: Mapping[str, Any], ctx: McpRequestContext) -> bool:
        """Pass answers on to OpenCode; late, repeated and unknown answers have no effect.

        Raises:
            MCPError: OpenCode could not be reached, the bridge is read-only, or the operator denies to report runs.
        """
        await check_tasks_served(ctx)
        with as_protocol_errors(ctx):
            run = await self._changeable(task_id, ctx)
            if run is None:
                return False

            refusals: list[NotAllowed] = []
            bridge = cast("Bridge", ctx.lifespan_context)
            for request in (await bridge.runs_under_policy.observe(run, deadline.Deadline.after(0))).pending:
                if self._key(request) in responses:
                    note_action(ANSWERING_TOOLS[request.kind])
                    refusals += await self._take(request, responses[self._key(request)], ctx)
            if refusals:
                raise refusals[0]
        return True

    async def _take(self, request: "PendingRequest", response: object, ctx: McpRequestContext) -> list[NotAllowed]:
        """Pass an answer on, and return the error if it is not allowed; the task reports other wrong answers."""
        try:
            filled = ElicitResult.model_validate(response)
            bridge = cast("Bridge", ctx.lifespan_context)
            outcome = await pass_on(bridge, request, filled, ctx.session.client_capabilities)
        except ValidationError:
            self._unanswered[request.request_id] = UNREADABLE
        except NotFound:
            return []
        except CallerError as error:
            self._unanswered[request.request_id] = str(error)
            return [error] if isinstance(error, NotAllowed) else []
        else:
            if outcome:
                self._keep_unanswered(request, outcome)
        return []

    def _keep_unanswered(self, request: "PendingRequest", unanswered: Unanswered) -> None:
        if unanswered.ask_again and request.request_id not in self._asked_again:
            self._asked_again[request.request_id] = None
        else:
            self._unanswered[request.request_id] = unanswered.reason

    async def _changeable(self, task_id: str, ctx: McpRequestContext) -> "Run | None":
        """Return the run of a task that the caller may answer and stop; ``None``: the caller has no such task.

        Raises:
            NotAllowed: The bridge is read-only.
        """
        opened = self._open(task_id)
        if opened is None or not await _is_callers(opened[0], ctx):
            return None
        run = opened[0]
        note_action(session=run.session_id, directory=run.directory)
        check_may_change(cast("Bridge", ctx.lifespan_context).settings)
        return run

    async def cancel(self, task_id: str, ctx: McpRequestContext) -> bool:
        """Stop the run (``session.abort``); an ended run does not change.

        Raises:
            MCPError: OpenCode could not be reached, the bridge is read-only, or the operator denies to report or stop
                runs.
        """
        await check_tasks_served(ctx)

        note_action(STOPPING_TOOL)
        bridge = cast("Bridge", ctx.lifespan_context)
        with as_protocol_errors(ctx):
            run = await self._changeable(task_id, ctx)
            if run is None:
                return False
            bridge.allowed.check_denied(await bridge.operation_of(STOP))
            await bridge.runs.stop(run)
        return True

    def _id_of(self, run: "Run", created: str) -> str:
        return self.codec.seal_data(KIND, {"run": run.as_data(), "created": created})

    def _open(self, task_id: str) -> "tuple[Run, str] | None":
        """Return the run that the id of a task names, and the time of the task; None for any other id."""
        fields = self.codec.unseal_data(KIND, task_id)
        return (run_record.Run.read(fields["run"]), str(fields["created"])) if fields is not None else None


def _serves_tasks(ctx: McpRequestContext) -> bool:
    """Return True if the operator allows ``opencode_wait``, since a task reports and accepts the same."""
    return cast("Bridge", ctx.lifespan_context).allowed.serves(TOOL_USES["opencode_wait"])


async def check_tasks_served(ctx: McpRequestContext) -> None:
    """Refuse tasks where the operator denies what they report.

    Raises:
        MCPError: The operator denies it.
    """
    with as_protocol_errors(ctx):
        if not _serves_tasks(ctx):
            raise NotAllowed(
                "Whoever configured this MCP server denies operations of opencode_wait, so it serves no tasks."
            )
        await cast("Bridge", ctx.lifespan_context).check_served(TOOL_USES["opencode_wait"])


async def _is_callers(run: "Run", ctx: McpRequestContext) -> bool:
    """Return True if this bridge's callers may name a run's session."""
    try:
        await cast("Bridge", ctx.lifespan_context).fence.session(run.session_id)
    except (NotAllowed, NotFound):
        return False
    return True


def _still_runs(outcome: object) -> bool:
    return _content(outcome).get("status") == "running"


def _content(outcome: object) -> Mapping[str, Any]:
    return (outcome.structured_content or {}) if isinstance(outcome, CallToolResult) else {}


def _activity(outcome: object) -> str:
    """Return the line of progress in a report with the status ``running``."""
    return one_line(str(_content(outcome).get("activity", "")))


def _address(run: "Run") -> str:
    """Return the text that names a run for a model that gets no report yet."""
    session = f'session_id="{run.session_id}"'
    return (
        f"OpenCode works on this in the session {run.session_id}, as message {run.message_id}. The result comes by "
        f"itself. opencode_session({session}) shows what it does. opencode_abort({session}) stops it."
    )


def _progress(
    report: "RunReport", asked: "dict[str, PendingRequest]", forms: Mapping[str, ElicitationParams], *, data_alone: bool
) -> dict[str, Any]:
    """Return a run's report as the fields of a task."""
    if report.status == "running":
        return {"status": "working", "message": one_line(shown(report.activity))}
    if asked:
        requests = {key: on_wire(ElicitRequest(params=form)) for key, form in forms.items()}
        asks = ", ".join(f"{item.kind}: {_first_line(item.asks)}" for item in asked.values())
        return {
            "status": "input_required",
            "input_requests": requests,
            "message": one_line(shown(f"waiting for a {asks}")),
        }
    if report.status == "aborted":
        return {"status": "cancelled"}
    outcome = report_result(report)
    shown_once = outcome if data_alone else without_repeated(outcome, REPORT_TEXTS)
    return {"status": "completed", "result": on_wire(shown_once)}


def _first_line(asks: str) -> str:
    """Return the first line of a request; the form has the rest."""
    return asks.partition("\n")[0]


def _failure(error: BridgeError) -> dict[str, Any]:
    failed = CallToolResult(content=result(explain(error)).content, is_error=True)
    return {"status": "completed", "result": on_wire(failed)}


def check_may_change(settings: "Settings") -> None:
    """Refuse to answer and to stop anything for those who may only read.

    Raises:
        NotAllowed: The access token lacks a scope, or the bridge is read-only.
    """
    if scope := scope_of("write", settings):
        raise NotAllowed(
            f"The access token of this client lacks the scope {scope}: nothing is answered or stopped.",
            hint=SCOPE_REMEDY,
            scope=scope,
        )
    if settings.read_only:
        raise NotAllowed(
            "This MCP server is read-only: it answers and stops nothing.",
            change=SettingsChange("--read-only", removes=True),
        )


@contextmanager
def as_protocol_errors(ctx: McpRequestContext) -> Generator[None]:
    """Turn errors of the bridge into errors of the protocol, and note for the audit log what is not allowed."""
    try:
        yield
    except BridgeError as error:
        note_refusal(reason_of(error))
        owner = SettingsOwner(principal=cast("Bridge", ctx.lifespan_context).settings.principal)
        raise MCPError(INTERNAL_ERROR, explain(error, owner=owner)) from error


def on_wire(value: CallToolResult | ElicitRequest) -> dict[str, Any]:
    """Return a value as it is sent."""
    kind = {"resultType": "complete"} if isinstance(value, CallToolResult) else {}
    return value.model_dump(by_alias=True, mode="json", exclude_none=True) | kind


def time_now() -> str:
    """Return the present time in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
