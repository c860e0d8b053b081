"""The tools, grouped by what the agent wants to do."""

from opencode_mcp.server.tool import ToolSpec
from opencode_mcp.server.tools.requests import opencode_reply_permission, opencode_reply_question
from opencode_mcp.server.tools.runs import opencode_abort, opencode_run, opencode_wait
from opencode_mcp.server.tools.sessions import opencode_list_sessions
from opencode_mcp.server.tools.status import opencode_status
from opencode_mcp.server.tools.workspace import opencode_read_file

TOOLS: tuple[ToolSpec, ...] = (
    opencode_run,
    opencode_wait,
    opencode_reply_permission,
    opencode_reply_question,
    opencode_abort,
    opencode_list_sessions,
    opencode_read_file,
    opencode_status,
)
"""Every tool, in the order in which they are listed."""
