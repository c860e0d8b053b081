"""Tool that shows the state of OpenCode and of a project, with the agents and models for a run."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, cast

from mcp_types import CallToolResult
from pydantic import Field

from opencode_mcp.server.bridge import BridgeContext, bridge_of
from opencode_mcp.server.definition.tool import tool
from opencode_mcp.server.project_status import LONGEST_DESCRIPTION, NEEDS_INPUT, UNREAD, ShownFacts, describe_project
from opencode_mcp.server.results.render import result
from opencode_mcp.text.name_lists import listed
from opencode_mcp.text.outside_text import beginning, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

SHOWN_NAMES = 40
SUMMARY_MODELS = 12
"""Models that a summary shows."""
ENVIRONMENT = "environment"
LABELS: "Mapping[str, str]" = {
    "settings": "settings of this MCP server",
    ENVIRONMENT: "environment variables that must be equal for others to share this OpenCode",
}
"""Labels of facts whose name does not explain them."""
MORE = "show=agents, models or commands describes each, and everything adds changed files, MCP servers and settings."


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
    directory: Annotated[str, Field(description="Allowed; else the first")] = "",
    show: ShownFacts = "summary",
) -> CallToolResult:
    """Show OpenCode and one project: version, branch, running sessions, agents, usable models with prices.

    Use it to choose an agent or model, or when other tools fail.
    """
    bridge = bridge_of(ctx)
    data = await describe_project(bridge, await bridge.fence.directory(directory), show)
    if show != "summary":
        return result("\n".join(_lines(data)), data)
    data = _in_short(data)
    return result("\n".join([*_lines(data), MORE]), data)


def _in_short(data: dict[str, Any]) -> dict[str, Any]:
    """Return a summary: the first models, and agents without descriptions."""
    short = dict(data)
    if "agents" in data:
        short["agents"] = {name: {"mode": agent["mode"]} for name, agent in data["agents"].items()}
    if (count := len(data.get("models", ()))) > SUMMARY_MODELS:
        short["models"] = dict(islice(_default_first(data["models"], data.get("default_model", "")), SUMMARY_MODELS))
        short["more_models"] = f"{count - SUMMARY_MODELS}, shown by show=models"
    return short


def _default_first(models: dict[str, Any], default: str) -> "Iterable[tuple[str, Any]]":
    return sorted(models.items(), key=lambda item: item[0] != default)


def _lines(data: dict[str, Any]) -> "Iterable[str]":
    for name, value in data.items():
        if name == UNREAD:
            yield from map(_unread, cast("list[dict[str, Any]]", value))
        elif value or name != ENVIRONMENT:
            yield from _fact_lines(name, value)


def _fact_lines(name: str, value: object) -> "Iterable[str]":
    """Return the lines of a fact: one for each entry after its label, or only one."""
    label = LABELS.get(name) or name.replace("_", " ")
    if name in ENTRIES and value:
        yield f"{label}:"
        for key, entry in cast("Mapping[str, Any]", value).items():
            yield f"  {beginning(key)}{ENTRIES[name](entry)}"
    else:
        yield f"{label}: {_value_text(value)}"


def _value_text(value: object) -> str:
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, str]", value).items()
        names = [f"{key} ({text})" if text else key for key, text in pairs]
        return _listed(names)
    if isinstance(value, list):
        return _listed(cast("list[str]", value))
    return one_line(str(value)) if value else "none"


def _unread(entry: dict[str, Any]) -> str:
    fields = ", ".join(field.replace("_", " ") for field in entry["fields"])
    return f"not read: {fields} ({entry['reason']})"


def _listed(names: list[str]) -> str:
    return listed([one_line(name) for name in names], SHOWN_NAMES) or "none"


def _agent(agent: "Mapping[str, str]") -> str:
    kind = {"primary": "primary", "subagent": "subagent", "all": "primary and subagent"}.get(agent["mode"], "primary")
    return f" ({kind}){_described(agent.get('description', ''))}"


def _model(facts: "Mapping[str, Any]") -> str:
    price = (
        f"${facts['input']:g} in, ${facts['output']:g} out per million tokens" if "input" in facts else "price unknown"
    )
    context = f", context {facts['context']:,.0f} tokens" if "context" in facts else ""
    variants = f", variants: {_listed(facts['variants'])}" if "variants" in facts else ""
    return f": {price}{context}{variants}"


def _described(description: str) -> str:
    return f": {one_line(description, LONGEST_DESCRIPTION)}" if description.strip() else ""


ENTRIES: "Mapping[str, Callable[[Any], str]]" = {
    "agents": _agent,
    "models": _model,
    "commands": _described,
    "running_sessions": _described,
    NEEDS_INPUT: _described,
}
"""Facts with a line for each entry: functions that write what follows the entry's name."""
