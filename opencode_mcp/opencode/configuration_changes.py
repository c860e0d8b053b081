"""When OpenCode loads its configuration, for every text that tells a caller or a person to change it. Pure."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opencode_mcp.opencode.versions import Generation

_HOW = "opencode_status says how"
RESTART = f"restart OpenCode ({_HOW})"
"""Step of a person by which a change is loaded."""
OF_BRIDGES = "close all programs that use this MCP server: OpenCode ends with the last one, and starts with the next"
OF_OTHERS = "where it was started: this MCP server did not start it, and cannot restart it"
"""Ways in which a person restarts an OpenCode that bridges started, and one that somebody else started."""
_AT_START = f"OpenCode loads changes of its configuration when it is restarted ({_HOW})"
CHANGES_LOADED: Mapping["Generation", str] = {
    1: f"{_AT_START}, or, if that is allowed, after instance.dispose, which stops what runs in the project.",
    2: (
        f"{_AT_START}, or, if that is allowed, after location.reload, which cancels what the runs of all projects have "
        "asked."
    ),
}
