"""The tools, grouped by what the agent wants to do."""

from typing import TYPE_CHECKING

from opencode_mcp.server.access.operations import Surface
from opencode_mcp.server.tool import BridgeTool, ToolSpec
from opencode_mcp.server.tools.changes import opencode_diff
from opencode_mcp.server.tools.commands import opencode_command, opencode_shell
from opencode_mcp.server.tools.history import opencode_fork, opencode_revert
from opencode_mcp.server.tools.operations import (
    opencode_call_operation,
    opencode_find_operations,
    opencode_read_operation,
)
from opencode_mcp.server.tools.requests import opencode_reply_permission, opencode_reply_question
from opencode_mcp.server.tools.runs import opencode_abort, opencode_run, opencode_wait
from opencode_mcp.server.tools.search import opencode_find_files, opencode_find_symbols, opencode_find_text
from opencode_mcp.server.tools.sessions import opencode_list_sessions, opencode_session
from opencode_mcp.server.tools.status import opencode_status
from opencode_mcp.server.tools.workspace import opencode_list_files, opencode_read_file

if TYPE_CHECKING:
    from opencode_mcp.config import Settings

TOOLS: tuple[ToolSpec, ...] = (
    opencode_run,
    opencode_wait,
    opencode_reply_permission,
    opencode_reply_question,
    opencode_abort,
    opencode_list_sessions,
    opencode_session,
    opencode_diff,
    opencode_revert,
    opencode_fork,
    opencode_command,
    opencode_shell,
    opencode_list_files,
    opencode_read_file,
    opencode_find_files,
    opencode_find_text,
    opencode_find_symbols,
    opencode_status,
    opencode_find_operations,
    opencode_read_operation,
    opencode_call_operation,
)
"""Every tool, in the order in which they are listed."""


def listed_tools(settings: "Settings") -> list[BridgeTool]:
    """The tools that the operator wants listed: always the same ones, in the same order, for the same settings.

    Raises:
        InvalidSetting: The settings name a toolset or an operation that there is not.
    """
    surface = Surface(settings)
    tools = [spec.build() for spec in surface.tools(TOOLS)]
    operations = surface.operation_tools()
    if not operations:
        return tools
    from opencode_mcp.server.operations.operation_tool import tool_of

    return [*tools, *map(tool_of, operations)]
