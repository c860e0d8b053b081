"""Let any MCP host use a real OpenCode server.

``server`` (MCP) uses ``runs`` (the life of a prompt), which uses ``events`` (the event stream), which uses ``opencode``
(OpenCode's HTTP API). Imports go only in this direction.
"""

from opencode_mcp import lazy_imports

__version__ = "0.1.0"

lazy_imports.install()
