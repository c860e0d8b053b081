"""Tool that queues many tasks with one call."""

from typing import Annotated, Any

import anyio
from mcp_types import CallToolResult
from pydantic import Field

from opencode_mcp.server.batches import batch_wait, new_batches
from opencode_mcp.server.bridge import BridgeContext, bridge_of
from opencode_mcp.server.tools.run_tools import SecondsAsForRun, opencode_run, run_tool
from opencode_mcp.server.waiting.answerers import starter_of
from opencode_mcp.server.waiting.call_deadlines import READ_AGAIN, before_start, deadlines_of, starting
from opencode_mcp.server.waiting.progress_notifications import progress_sender


@run_tool(title="Run many tasks", destructive=True, texts=())
async def opencode_run_many(
    ctx: BridgeContext,
    *,
    tasks: Annotated[
        list[dict[str, Any]],
        Field(description="Up to 100, each with prompt and what opencode_run takes"),
    ] = [],
    prompt: Annotated[str, Field(description="Or one prompt")] = "",
    models: Annotated[list[str], Field(description="A task for each, isolated")] = [],
    common: Annotated[dict[str, Any], Field(description="Arguments of all tasks")] = {},
    parallel: Annotated[int, Field(ge=1, description="Tasks at once")] = 4,
    max_cost: Annotated[float | None, Field(gt=0, description="Stop at so many US dollars")] = None,
    wait_seconds: SecondsAsForRun = None,
) -> CallToolResult:
    """Queue tasks, run some at once, and report a table.

    Use it for several tasks, or to compare models. opencode_wait and opencode_abort take batch and task ids.
    """
    bridge = bridge_of(ctx)
    request = new_batches.BatchRequest(
        tasks=tasks, prompt=prompt, models=models, common=common, parallel=parallel, max_cost=max_cost
    )
    deadlines = deadlines_of(ctx, wait_seconds)
    with before_start():
        async with starting(ctx, deadlines.start, READ_AGAIN):
            batch = await new_batches.new_batch(bridge, request, opencode_run.build(), starter_of(ctx))
    batch_id = ""
    with anyio.CancelScope(shield=True):
        # A call that is cancelled meanwhile must know the batch that it stops.
        batch_id = await bridge.batches.add(batch)
    named = batch_wait.Named(batch_id, frozenset())
    limit = batch_wait.wait_limit(ctx, wait_seconds, named)
    try:
        return await batch_wait.wait_for_tasks(bridge, named, limit, progress_sender(ctx))
    except anyio.get_cancelled_exc_class():
        if bridge.settings.abort_on_cancel and bridge.supervision.may_stop:
            bridge.spawn(batch_wait.stop_tasks, bridge, named)
        raise
