"""What there is: the server, the project, and what a run can be started with."""

from typing import TYPE_CHECKING, Annotated, Any, cast

from mcp_types import CallToolResult
from pydantic import Field

from opencode_mcp.opencode.outside_text import one_line
from opencode_mcp.opencode.provider_environment import counted
from opencode_mcp.server.bridge import Bridge, BridgeContext, bridge_of
from opencode_mcp.server.render import result
from opencode_mcp.server.tool import tool

if TYPE_CHECKING:
    from collections.abc import Iterable

SHOWN = 40
DIRECTORIES = 200
"""Allowed directories that are named."""


@tool(
    title="Show what there is",
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


async def describe_project(bridge: Bridge, directory: str) -> dict[str, Any]:
    """What OpenCode says of itself and of a project."""
    client = bridge.client
    vcs = await client.vcs(directory)
    return {
        "opencode": (await client.health()).version,
        "directory": directory,
        "allowed_directories": (await bridge.fence.every_root())[:DIRECTORIES],
        "branch": vcs.branch or "",
        "changed_files": [f"{item.status} {item.file}" for item in await client.vcs_status(directory)],
        "running_sessions": list(await client.session_status(directory)),
        "agents": {agent.name: agent.description for agent in await client.agents(directory)},
        "models": (await client.providers(directory)).usable,
        "default_model": bridge.settings.model or (await client.config(directory)).model,
        "commands": [command.name for command in await client.commands(directory)],
        # Bridges share one OpenCode only where these variables are the same.
        "environment": [] if bridge.settings.attached else list(counted(bridge.settings.environment)),
        "mcp_servers": {name: item.status for name, item in (await client.mcp_status(directory)).items()},
    }


def _lines(data: dict[str, Any]) -> "Iterable[str]":
    for name, value in data.items():
        label = name.replace("_", " ")
        if isinstance(value, dict):
            pairs = cast("dict[str, str]", value).items()
            yield f"{label}: {_listed([f'{key} ({text})' if text else key for key, text in pairs])}"
        elif isinstance(value, list):
            yield f"{label}: {_listed(cast('list[str]', value))}"
        else:
            yield f"{label}: {one_line(str(value)) if value else 'none'}"


def _listed(names: list[str]) -> str:
    names = [one_line(name) for name in names]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return (", ".join(names[:SHOWN]) or "none") + more
