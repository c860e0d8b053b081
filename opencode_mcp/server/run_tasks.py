"""Runs as MCP tasks: a task's id names its run, and its state is OpenCode's own.

Nothing is kept here, so a task outlives the bridge that offered it: whoever has the key of the state directory can tell
what became of it. The id is sealed: a client can neither read it nor make one up.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from mcp.server.context import CallNext, HandlerResult
from mcp.server.request_state import InvalidRequestState
from mcp_types import CallToolRequestParams, CallToolResult, ElicitRequest, ElicitResult
from pydantic import ValidationError

from opencode_mcp.errors import BridgeError, InvalidArgument, NotFound
from opencode_mcp.server.bridge import Bridge
from opencode_mcp.server.elicitation import can_ask, form_of, give_answer
from opencode_mcp.server.render import explain, report_data, report_text, result
from opencode_mcp.server.seal import Seal
from opencode_mcp.server.tasks import Context, Status, TaskSlot, TaskState, task_slot

if TYPE_CHECKING:
    from opencode_mcp.runs.follow import Run
    from opencode_mcp.runs.report import PendingRequest, RunReport

TOOLS = ("opencode_run", "opencode_wait", "opencode_command")
UNANSWERED_KEPT = 1000


class RunTasks:
    """A ``TaskSource`` over runs.

    Args:
        seal: Makes the ids.
    """

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self._unanswered: OrderedDict[str, None] = OrderedDict()

    async def offer(
        self, params: CallToolRequestParams, ctx: Context, call_next: CallNext
    ) -> HandlerResult | TaskState:
        """Make a call; what still runs after the grace becomes a task."""
        del params
        slot = TaskSlot()
        token = task_slot.set(slot)
        try:
            outcome = await call_next(ctx)
        finally:
            task_slot.reset(token)
        if slot.run is None or not _still_runs(outcome):
            return outcome
        now = _now()
        return TaskState(task_id=self._id_of(slot.run, now), status="working", created=now, updated=now)

    async def get(self, task_id: str, ctx: Context) -> TaskState | None:
        """The task, out of what OpenCode says of its run."""
        opened = self._open(task_id)
        if opened is None:
            return None
        run, created = opened
        bridge = cast("Bridge", ctx.lifespan_context)
        try:
            await bridge.fence.session(run.session_id)
            report = await bridge.runs.follow(run, 0)
            report.pending = await bridge.steward.settle(run, report.pending)
        except BridgeError as error:
            failed = CallToolResult(content=result(explain(error)).content, is_error=True)
            return self._state(task_id, created, "completed", result=_wire(failed))
        asked = [request for request in report.pending if self._is_for_person(bridge, run, request, ctx)]
        return self._state(task_id, created, **_progress(report, asked))

    def _state(self, task_id: str, created: str, status: Status, **rest: Any) -> TaskState:  # noqa: ANN401 - fields of TaskState
        return TaskState(task_id=task_id, status=status, created=created, updated=_now(), **rest)

    def _is_for_person(self, bridge: Bridge, run: "Run", request: "PendingRequest", ctx: Context) -> bool:
        if request.request_id in self._unanswered or not can_ask(ctx.session.client_capabilities):
            return False
        return request.kind == "question" or bridge.steward.decider(run, request) == "human"

    async def update(self, task_id: str, responses: Mapping[str, Any], ctx: Context) -> bool:
        """Pass answers on to OpenCode; late, repeated and unknown ones change nothing."""
        opened = self._open(task_id)
        if opened is None:
            return False
        run, _ = opened
        bridge = cast("Bridge", ctx.lifespan_context)
        for request in (await bridge.runs.follow(run, 0)).pending:
            if request.request_id in responses:
                await self._take(bridge, run, request, responses[request.request_id])
        return True

    async def _take(self, bridge: Bridge, run: "Run", request: "PendingRequest", response: object) -> None:
        try:
            filled = ElicitResult.model_validate(response)
            answered = await give_answer(bridge.requests, request, run.directory, filled)
        except (ValidationError, InvalidArgument):
            answered = False
        except NotFound:
            return
        if not answered:
            self._unanswered[request.request_id] = None
            if len(self._unanswered) > UNANSWERED_KEPT:
                self._unanswered.popitem(last=False)

    async def cancel(self, task_id: str, ctx: Context) -> bool:
        """Stop the run (``session.abort``); one that has ended stays as it ended."""
        opened = self._open(task_id)
        if opened is None:
            return False
        await cast("Bridge", ctx.lifespan_context).runs.abort(opened[0])
        return True

    def _id_of(self, run: "Run", created: str) -> str:
        return self._seal.seal(json.dumps({**asdict(run), "created": created}).encode())

    def _open(self, task_id: str) -> "tuple[Run, str] | None":
        from opencode_mcp.runs.follow import Run

        try:
            fields = cast("dict[str, str]", json.loads(self._seal.unseal(task_id)))
        except InvalidRequestState:
            return None
        created = fields.pop("created")
        return Run(**fields), created


def _still_runs(outcome: object) -> bool:
    content = outcome.structured_content if isinstance(outcome, CallToolResult) else None
    return bool(content) and content.get("status") == "running"


def _progress(report: "RunReport", asked: "list[PendingRequest]") -> dict[str, Any]:
    """How a run's report reads as a task."""
    if report.status == "running" or (report.status == "needs_input" and not report.pending):
        return {"status": "working", "message": report.activity}
    if asked:
        requests = {item.request_id: _wire(ElicitRequest(params=form_of(item))) for item in asked}
        return {"status": "input_required", "input_requests": requests}
    if report.status == "aborted":
        return {"status": "cancelled"}
    return {"status": "completed", "result": _wire(result(report_text(report), report_data(report)))}


def _wire(value: CallToolResult | ElicitRequest) -> dict[str, Any]:
    kind = {"resultType": "complete"} if isinstance(value, CallToolResult) else {}
    return value.model_dump(by_alias=True, mode="json", exclude_none=True) | kind


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
