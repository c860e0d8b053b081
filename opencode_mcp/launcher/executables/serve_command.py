"""Command and environment of ``opencode serve`` for each generation, and the address that it prints.

OpenCode 2 takes its password from another variable and always has the user name ``opencode``. With ``--stdio`` it
prints its address as JSON, ends when its standard input is closed, and takes the password out of what its shell
commands inherit, though not its terminals. A script that either generation runs first hides the password from the rest.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opencode_mcp.launcher.executables.executable import Executable
    from opencode_mcp.opencode.versions import Generation

HOST = "127.0.0.1"
USERNAME_2 = "opencode"
PRELOAD = Path(__file__).with_name("hide_password.js")
CREDENTIALS = frozenset({"OPENCODE_PASSWORD", "OPENCODE_SERVER_PASSWORD", "OPENCODE_SERVER_USERNAME"})
"""Variables with credentials of servers, which a started server does not inherit."""
GIT_VARIABLES: Mapping[str, str] = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "core.fsmonitor",
    "GIT_CONFIG_VALUE_0": "false",
}
"""Variables that keep git from two programs which a repository can name, when OpenCode compares files by itself: the
transport of a partial clone, and a monitor of files. Inherited ones win."""
INDEX_VARIABLES: Mapping[str, str] = {"OPENCODE_DISABLE_FFF": "1"}
"""Variable that makes OpenCode search files with ripgrep and not with its own index. The index reads every file of a
project, even of a home directory, and its lock has blocked the whole server permanently (seen on 1.18). Inherited ones
win."""
ADDRESS = rb"http://127\.0\.0\.1:\d+"
ANNOUNCEMENT = re.compile(
    rb'^(?:(?:opencode )?server listening on |\{"url":\s*")(?P<url>' + ADDRESS + rb')(?:"\})?\s*$', re.MULTILINE
)
"""Line with the address, in the forms of both generations: a program may be of another generation than it seems."""


def serve_command(executable: "Executable") -> list[str]:
    """Return the command that serves OpenCode on a free port of loopback."""
    stdio = ["--stdio"] if executable.generation == 2 else []  # noqa: PLR2004 - a generation
    return [str(executable.path), "serve", *stdio, "--hostname", HOST, "--port", "0"]


def serve_username(generation: "Generation", wanted: str) -> str:
    """Return the user name that a server of a generation has."""
    return wanted if generation == 1 else USERNAME_2


def serve_environment(
    generation: "Generation", inherited: Mapping[str, str], *, username: str, password: str
) -> dict[str, str]:
    """Return the environment of a server, with its credentials in place of inherited ones."""
    environment = {name: value for name, value in inherited.items() if name not in CREDENTIALS}
    environment["BUN_INSPECT_PRELOAD"] = str(PRELOAD)
    environment = {**GIT_VARIABLES, **INDEX_VARIABLES, **environment}
    if generation == 1:
        return {**environment, "OPENCODE_SERVER_USERNAME": username, "OPENCODE_SERVER_PASSWORD": password}
    return {**environment, "OPENCODE_PASSWORD": password}


def announced_url(output: bytes) -> str:
    """Return the address that a server has printed; empty if it has printed none yet."""
    found = ANNOUNCEMENT.search(output)
    return found["url"].decode() if found else ""
