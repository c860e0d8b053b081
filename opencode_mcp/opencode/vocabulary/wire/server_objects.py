"""State of the server, and of the MCP servers that it uses."""

from typing import Literal

from opencode_mcp.opencode.versions import Generation
from opencode_mcp.opencode.vocabulary.wire.wire_object import Wire


class Health(Wire):
    """State of a server that answers, as ``detection.detect`` finds it."""

    healthy: Literal[True]
    version: str
    generation: Generation = 1
    pid: int | None = None
    """Id of the server's process on its own machine; only OpenCode 2 says it."""


class McpStatus(Wire):
    """Entry of ``mcp.status``: an MCP server that OpenCode uses."""

    status: str
    error: str = ""
