"""Tools for single operations, which operators list with ``--toolsets``."""

from functools import cache
from typing import TYPE_CHECKING, Any, cast

from mcp.server.mcpserver.context import Context
from mcp_types import CallToolResult

from opencode_mcp.server.bridge import BridgeContext
from opencode_mcp.server.definition.hints import hints_of
from opencode_mcp.server.definition.listed_schema import listed_schema
from opencode_mcp.server.definition.tool import BridgeTool
from opencode_mcp.server.operations.calling import call_operation, offered_schema, operation_in_use
from opencode_mcp.server.results.schemas import REPLY_TEXTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opencode_mcp.opencode.tables.operation_table import Operation

PREFIX = "opencode_op_"
LONGEST_NAME = 49
"""Characters of a tool's name: hosts put the name of the server before it, and many allow 64 in all."""
LEFT_OUT = "experimental_"
"""Part that a longer name does without."""
SAFE_TO_REPEAT = frozenset({"GET", "PUT", "DELETE"})
OUTSIDE = frozenset({"execute", "admin"})
"""Effects that reach beyond OpenCode: models, commands, providers, MCP servers."""


class OperationTool(BridgeTool):
    """Tool with the arguments of an operation."""

    async def _run(self, arguments: dict[str, Any], context: Context[Any, Any]) -> object:
        return await self.fn(context, arguments)


def tool_name(operation_id: str) -> str:
    """Return the name of an operation's tool: ``opencode_op_session_update`` for ``session.update``."""
    name = PREFIX + operation_id.replace(".", "_")
    return name if len(name) <= LONGEST_NAME else name.replace(LEFT_OUT, "")


def tool_of(rows: "Sequence[Operation]") -> OperationTool:
    """Make the tool of an operation.

    Args:
        rows: The operations of the two generations of OpenCode that have the same id; one, if only one has it. Which of
            them is called, the server in use decides.
    """
    operation_id = rows[0].id
    effects = {row.effect for row in rows}

    async def perform(ctx: BridgeContext, arguments: dict[str, Any]) -> CallToolResult:
        return await call_operation(ctx, await operation_in_use(ctx, operation_id), arguments)

    return _sdk_tool().model_copy(
        update={
            "fn": perform,
            "name": tool_name(operation_id),
            "title": operation_id,
            "description": _description(rows),
            "parameters": listed_schema(_merged([offered_schema(row) for row in rows])),
            "annotations": hints_of(
                read_only=effects == {"read"},
                destructive=any(row.destructive for row in rows) or not effects.isdisjoint(OUTSIDE),
                idempotent=all(row.effect == "read" or row.method in SAFE_TO_REPEAT for row in rows),
                open_world=not effects.isdisjoint(OUTSIDE),
            ),
        }
    )


@cache
def _sdk_tool() -> OperationTool:
    """Return what the tools of all operations have in common; the SDK takes milliseconds to make it."""

    async def perform(ctx: BridgeContext, arguments: dict[str, Any]) -> CallToolResult:
        raise NotImplementedError

    made = cast("OperationTool", OperationTool.from_function(perform, description="", structured_output=False))
    made.texts = REPLY_TEXTS
    return made


def _description(rows: "Sequence[Operation]") -> str:
    """Return the descriptions and notes of an operation, and the generations that they hold for."""
    if len(rows) == 1:
        row = rows[0]
        return "\n\n".join(filter(None, [f"OpenCode {row.generation} only: {row.description}", row.note]))
    if rows[0].description == rows[1].description and rows[0].note == rows[1].note:
        return "\n\n".join(filter(None, [rows[0].description, rows[0].note]))
    return "\n\n".join(f"OpenCode {row.generation}: {row.description} {row.note}".rstrip() for row in rows)


def _merged(schemas: "Sequence[dict[str, Any]]") -> dict[str, Any]:
    """Return a schema of arguments that has the arguments of all given ones; the call checks them again."""
    merged = schemas[0]
    for schema in schemas[1:]:
        merged = _merged_objects(merged, schema)
    return merged


def _merged_objects(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    properties = {**second["properties"], **first["properties"]}
    for name in first["properties"].keys() & second["properties"].keys():
        properties[name] = _merged_values(first["properties"][name], second["properties"][name])
    required = [name for name in first.get("required", ()) if name in second.get("required", ())]
    return {**second, **first, "properties": properties, "required": required}


def _merged_values(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Merge two schemas of one argument. Where they contradict each other, the first, of OpenCode 1, is shown."""
    if "properties" in first and "properties" in second:
        return _merged_objects(first, second)
    if "enum" in first and "enum" in second:
        return {**first, "enum": list(dict.fromkeys([*first["enum"], *second["enum"]]))}
    return {**second, **first}
