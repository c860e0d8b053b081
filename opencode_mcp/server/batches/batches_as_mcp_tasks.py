"""Waits for batches as MCP tasks, beside those for runs: the id of such a task names the batch."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from opencode_mcp.errors import NotFound
from opencode_mcp.server.access.audit_notes.noted_action import note_action
from opencode_mcp.server.access.operations_of_tools import STOP
from opencode_mcp.server.batches import batch_wait
from opencode_mcp.server.results.render import without_tools
from opencode_mcp.server.waiting.call_context import McpRequestContext
from opencode_mcp.server.waiting.runs_as_mcp_tasks import (
    STOPPING_TOOL,
    RunMcpTasks,
    as_protocol_errors,
    check_may_change,
    check_tasks_served,
    on_wire,
    time_now,
)
from opencode_mcp.server.waiting.tasks_extension import TaskState

if TYPE_CHECKING:
    from opencode_mcp.server.bridge import Bridge
    from opencode_mcp.text.json_types import JsonMap

KIND = "batch task"


class RunAndBatchMcpTasks(RunMcpTasks):
    """``TaskSource`` that makes tasks of runs and of batches."""

    def _batch_task(self, names: tuple[str, ...], now: str, ctx: McpRequestContext) -> TaskState | None:
        """Return the task for a wait for some tasks of a batch."""
        text = f"The tasks of {names[0].partition('.')[0]} run, as far as there is room. The result comes by itself. "
        text += f'opencode_abort(session_id="{names[0]}") stops it.'
        return TaskState(
            task_id=self.codec.seal_data(KIND, {"names": names, "created": now}),
            status="working",
            created=now,
            updated=now,
            model_text=without_tools(text, cast("Bridge", ctx.lifespan_context).unlisted_tools),
        )

    async def get(self, task_id: str, ctx: McpRequestContext) -> TaskState | None:
        """Return the task in its present state; see ``RunMcpTasks.get``."""
        content = self._content(task_id)
        if content is None:
            return await super().get(task_id, ctx)
        await check_tasks_served(ctx)
        with as_protocol_errors(ctx):
            found = await _read_state(content["names"], ctx)
        if found is None:
            return None
        return TaskState(task_id=task_id, created=content["created"], updated=time_now(), **found)

    async def update(self, task_id: str, responses: Mapping[str, Any], ctx: McpRequestContext) -> bool:
        """Pass answers on; see ``RunMcpTasks.update``. A batch asks nothing by itself."""
        if self._content(task_id) is None:
            return await super().update(task_id, responses, ctx)
        await check_tasks_served(ctx)
        return True

    async def cancel(self, task_id: str, ctx: McpRequestContext) -> bool:
        """Stop the tasks of a batch; see ``RunMcpTasks.cancel``."""
        content = self._content(task_id)
        if content is None:
            return await super().cancel(task_id, ctx)
        await check_tasks_served(ctx)
        bridge = cast("Bridge", ctx.lifespan_context)
        named = batch_wait.named_tasks(content["names"])
        note_action(STOPPING_TOOL, session=content["names"][0].partition(".")[0])
        with as_protocol_errors(ctx):
            check_may_change(bridge.settings)
            bridge.allowed.check_denied(await bridge.operation_of(STOP))
            return await _stop(bridge, named)

    def _content(self, task_id: str) -> "JsonMap | None":
        """Return the content of the id of a batch's task; None for any other id."""
        return self.codec.unseal_data(KIND, task_id)


async def _stop(bridge: "Bridge", named: "batch_wait.Named | None") -> bool:
    """Stop some tasks of a batch; return False if the batch does not exist for this bridge."""
    if named is None:
        return True
    try:
        await batch_wait.stop_tasks(bridge, named)
    except NotFound:
        return False
    return True


async def _read_state(names: list[str], ctx: McpRequestContext) -> dict[str, Any] | None:
    """Return the state of some tasks as the fields of a task; None if the batch does not exist for this bridge."""
    bridge = cast("Bridge", ctx.lifespan_context)
    named = batch_wait.named_tasks(names)
    try:
        table, is_over, line = await batch_wait.read_batch(bridge, named) if named else (None, False, "")
    except NotFound:
        return None
    if table is None or not is_over:
        return {"status": "working", "message": line}
    return {"status": "completed", "result": on_wire(table)}
