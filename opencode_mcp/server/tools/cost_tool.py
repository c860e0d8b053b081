"""Tool that sums up what the work has cost."""

from typing import Annotated

from mcp_types import CallToolResult
from pydantic import Field

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.server.bridge import BridgeContext, bridge_of
from opencode_mcp.server.costs import cost_report, cost_tables
from opencode_mcp.server.definition.tool import tool
from opencode_mcp.server.results.render import result
from opencode_mcp.server.results.timestamps import read_local_time

MOST_ROWS = 100
"""Most sessions and runs that are listed."""


@tool(
    title="Show cost",
    read_only=True,
    destructive=False,
    idempotent=True,
    open_world=False,
)
async def opencode_cost(
    ctx: BridgeContext,
    *,
    since: Annotated[str, Field(description="7d or 2026-11-24")] = "today",
    directory: Annotated[str, Field(description="Else all")] = "",
    top: Annotated[int, Field(description="Rows")] = 10,
) -> CallToolResult:
    """Sum up cost and tokens by day, project, model, agent, session, run.

    Use it for today's cost.
    """
    # The listing of the tools has no room for the range.
    if not 1 <= top <= MOST_ROWS:
        raise InvalidArgument(f"top is {top}.", hint=f"Give 1 to {MOST_ROWS}: so many sessions and runs are listed.")
    bridge = bridge_of(ctx)
    begin = read_local_time(since, bridge.client.clock.now() * 1000)
    place = await bridge.fence.directory(directory) if directory else ""
    report = await cost_report.report_cost(bridge, begin, place)
    return result(cost_tables.cost_text(report, top), cost_tables.cost_data(report, top))
