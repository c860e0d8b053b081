"""Places of OpenCode 2's data, derived from the environment in which it is started. Pure."""

import os
from collections.abc import Mapping
from pathlib import Path

LOCK = "opencode-mcp.lock"
IN_MEMORY = ":memory:"
"""Name of a database that is no file, so that no other server can use it."""


def data_home(environment: Mapping[str, str]) -> str:
    """Return the folder of all programs' data, as OpenCode finds it."""
    home = environment.get("HOME") or environment.get("USERPROFILE", "")
    return environment.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share")  # noqa: PTH118 - only a text


def data_lock(environment: Mapping[str, str], directory: Path) -> str:
    """Return the path of the lock that one server on the data may hold; empty if no other server can use the data.

    Args:
        environment: Environment of the server.
        directory: Working directory of the server; relative paths count from there.
    """
    database = environment.get("OPENCODE_DB", "")
    if database == IN_MEMORY:
        return ""
    folder = directory / data_home(environment) / "opencode"
    return str(folder / f"{database}.{LOCK}" if database else folder / LOCK)
