"""Tool that sums up what the work has cost."""

from typing import Annotated

from mcp_types import CallToolResult
from pydantic import Field

from opencode_mcp.server.bridge import BridgeContext, bridge_of
from opencode_mcp.server.definition.tool import tool
from opencode_mcp.server.results.render import result
from opencode_mcp.server.results.timestamps import read_local_moment
from opencode_mcp.server.sessions import cost_report, cost_tables


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
    since: Annotated[str, Field(description="today, 7d or 2026-11-24")] = "today",
    directory: Annotated[str, Field(description="Absolute path; else all")] = "",
) -> CallToolResult:
    """Sum up cost and tokens by day, project, model, agent and session, with subagents.

    Use it for today's cost.
    """
    bridge = bridge_of(ctx)
    begin = read_local_moment(since, bridge.client.clock.now() * 1000)
    place = await bridge.fence.directory(directory) if directory else ""
    report = await cost_report.report_cost(bridge, begin, place)
    return result(cost_tables.cost_text(report), cost_tables.cost_data(report))
