"""When OpenCode loads its configuration, for every text that tells a caller or a person to change it. Pure."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opencode_mcp.opencode.versions import Generation

_END = "an OpenCode that this MCP server started ends with the last program that uses it"
RESTART = f"restart OpenCode ({_END})"
"""Step of a person by which a change is loaded."""
_AT_START = f"OpenCode loads changes of its configuration when it is restarted ({_END})"
CHANGES_LOADED: Mapping["Generation", str] = {
    1: f"{_AT_START}, or, if that is allowed, after instance.dispose, which stops what runs in the project.",
    2: (
        f"{_AT_START}, or, if that is allowed, after location.reload, which cancels what the runs of all projects have "
        "asked."
    ),
}
