"""Tools of the MCP server, grouped by purpose, and the table of them."""

from typing import TYPE_CHECKING

from opencode_mcp.server.access.allowed_operations import AllowedOperations
from opencode_mcp.server.definition.tool import BridgeTool, ToolSpec
from opencode_mcp.server.operations import operation_tool
from opencode_mcp.server.tools.batch_tool import opencode_run_many
from opencode_mcp.server.tools.command_tools import opencode_command, opencode_shell
from opencode_mcp.server.tools.cost_tool import opencode_cost
from opencode_mcp.server.tools.diff_tool import opencode_diff
from opencode_mcp.server.tools.file_tools import opencode_read_file
from opencode_mcp.server.tools.isolation_tool import opencode_integrate
from opencode_mcp.server.tools.operation_tools import (
    opencode_call_operation,
    opencode_find_operations,
    opencode_read_operation,
)
from opencode_mcp.server.tools.reply_tools import opencode_reply_permission, opencode_reply_question
from opencode_mcp.server.tools.run_tools import opencode_abort, opencode_run, opencode_wait
from opencode_mcp.server.tools.search_tools import opencode_find_files, opencode_find_text
from opencode_mcp.server.tools.session_tools import (
    opencode_delete_session,
    opencode_list_sessions,
    opencode_session,
    opencode_update_session,
)
from opencode_mcp.server.tools.status_tool import opencode_status
from opencode_mcp.server.tools.symbol_tool import opencode_find_symbols
from opencode_mcp.server.tools.undo_tools import opencode_fork, opencode_revert

if TYPE_CHECKING:
    from opencode_mcp.settings import Settings

TOOLS: tuple[ToolSpec, ...] = (
    opencode_run,
    opencode_run_many,
    opencode_wait,
    opencode_reply_permission,
    opencode_reply_question,
    opencode_abort,
    opencode_list_sessions,
    opencode_session,
    opencode_cost,
    opencode_diff,
    opencode_revert,
    opencode_fork,
    opencode_update_session,
    opencode_delete_session,
    opencode_integrate,
    opencode_command,
    opencode_shell,
    opencode_read_file,
    opencode_find_files,
    opencode_find_text,
    opencode_find_symbols,
    opencode_status,
    opencode_find_operations,
    opencode_read_operation,
    opencode_call_operation,
)
"""All tools, in the order in which they are listed."""

ISOLATION = frozenset({"isolate", "base"})
"""Arguments that need ``opencode_integrate``."""


def listed_tools(settings: "Settings") -> list[BridgeTool]:
    """Return the tools that the settings select: the same settings always give the same tools in the same order.

    Raises:
        InvalidSetting: The settings name an unknown toolset or operation.
    """
    allowed = AllowedOperations(settings)
    specs = allowed.tools(TOOLS)
    # Without the tool that brings isolated work back, no run is isolated.
    without = frozenset[str]() if opencode_integrate in specs else ISOLATION
    tools = _with_takers([spec.build(brief=allowed.is_minimal, without=without) for spec in specs])
    operations = allowed.operation_tools()
    if not operations:
        return tools

    return [*tools, *map(operation_tool.tool_of, operations)]


def _with_takers(tools: list[BridgeTool]) -> list[BridgeTool]:
    """Return tools that know which of them take an argument, for errors about one that a tool does not have."""
    tools_by_argument: dict[str, list[str]] = {}
    for tool in tools:
        for argument in tool.parameters["properties"]:
            tools_by_argument.setdefault(argument, []).append(tool.name)
    return [tool.model_copy(update={"tools_by_argument": tools_by_argument}) for tool in tools]
