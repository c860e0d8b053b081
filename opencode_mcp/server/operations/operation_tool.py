"""Tools for single operations, which operators list with ``--toolsets``."""

from typing import TYPE_CHECKING, Any, cast

from mcp.server.mcpserver.context import Context
from mcp_types import CallToolResult, ToolAnnotations

from opencode_mcp.server.bridge import BridgeContext
from opencode_mcp.server.listed_schema import listed_schema
from opencode_mcp.server.operations.calling import call_operation, offered_schema
from opencode_mcp.server.results.schemas import REPLY_TEXTS
from opencode_mcp.server.tool import BridgeTool

if TYPE_CHECKING:
    from opencode_mcp.opencode.operation_table import Operation

PREFIX = "opencode_op_"
SAFE_TO_REPEAT = frozenset({"GET", "PUT", "DELETE"})
OUTSIDE = frozenset({"execute", "admin"})
"""Effects that reach beyond OpenCode: models, commands, providers, MCP servers."""


class OperationTool(BridgeTool):
    """Tool with the arguments of an operation."""

    async def _run(self, arguments: dict[str, Any], context: Context[Any, Any]) -> object:
        return await self.fn(context, arguments)


def tool_name(operation: "Operation") -> str:
    """Return the name of an operation's tool: ``opencode_op_session_update`` for ``session.update``."""
    return PREFIX + operation.id.replace(".", "_")


def tool_of(operation: "Operation") -> OperationTool:
    """Make the tool of an operation."""

    async def perform(ctx: BridgeContext, arguments: dict[str, Any]) -> CallToolResult:
        return await call_operation(ctx, operation, arguments)

    tool = cast(
        "OperationTool",
        OperationTool.from_function(
            perform,
            name=tool_name(operation),
            title=operation.id,
            description="\n\n".join(filter(None, [operation.description, operation.note])),
            structured_output=False,
            annotations=ToolAnnotations(
                title=operation.id,
                read_only_hint=operation.effect == "read",
                destructive_hint=operation.destructive or operation.effect in OUTSIDE,
                idempotent_hint=operation.effect == "read" or operation.method in SAFE_TO_REPEAT,
                open_world_hint=operation.effect in OUTSIDE,
            ),
        ),
    )
    tool.parameters = listed_schema(offered_schema(operation))
    tool.texts = REPLY_TEXTS
    return tool
