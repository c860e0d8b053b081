"""Tool that shows the state of OpenCode and of a project, with the agents and models for a run."""

from typing import TYPE_CHECKING, Annotated, Any, cast

from mcp_types import CallToolResult
from pydantic import Field

from opencode_mcp.server.bridge import BridgeContext, bridge_of
from opencode_mcp.server.project_status import UNREAD, describe_project
from opencode_mcp.server.results.render import result
from opencode_mcp.server.tool import tool
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

SHOWN = 40


@tool(
    title="Show the status",
    read_only=True,
    destructive=False,
    idempotent=True,
    open_world=False,
    output_schema={"type": "object"},
)
async def opencode_status(
    ctx: BridgeContext,
    *,
    directory: Annotated[str, Field(description="Absolute path; empty: the default")] = "",
) -> CallToolResult:
    """Show OpenCode and one project: version, branch, changed files, running sessions, agents, models, commands.

    Use it to choose an agent or a model, or to see what is wrong when other tools fail.
    """
    bridge = bridge_of(ctx)
    data = await describe_project(bridge, await bridge.fence.directory(directory))
    return result("\n".join(_lines(data)), data)


def _lines(data: dict[str, Any]) -> "Iterable[str]":
    for name, value in data.items():
        if name == UNREAD:
            yield from map(_unread, cast("list[dict[str, Any]]", value))
            continue
        label = name.replace("_", " ")
        if isinstance(value, dict):
            pairs = cast("dict[str, str]", value).items()
            yield f"{label}: {_listed([f'{key} ({text})' if text else key for key, text in pairs])}"
        elif isinstance(value, list):
            yield f"{label}: {_listed(cast('list[str]', value))}"
        else:
            yield f"{label}: {one_line(str(value)) if value else 'none'}"


def _unread(entry: dict[str, Any]) -> str:
    fields = ", ".join(field.replace("_", " ") for field in entry["fields"])
    return f"not read: {fields} ({entry['reason']})"


def _listed(names: list[str]) -> str:
    names = [one_line(name) for name in names]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return (", ".join(names[:SHOWN]) or "none") + more
