"""What OpenCode printed, in a form that may be shown: its end, without colours and without secrets."""

import re
from collections.abc import Mapping
from pathlib import Path

from opencode_mcp.secrets.names import is_secret
from opencode_mcp.secrets.text import scrub

SHOWN = 2000
"""Characters of the output that fit in an error's text."""
READ = 65_536
"""Bytes that are read; a secret in them that is cut at their start is far from what is shown."""
COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
SHORTEST_SECRET = 8
"""Characters of a variable's value that is hidden; a shorter one may be a word."""


def read_output(path: Path, environment: Mapping[str, str]) -> str:
    """The end of what a process printed.

    Args:
        path: Where it printed to.
        environment: What it was started with; values with a telling name are hidden.
    """
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - READ))
        text = file.read().decode(errors="replace")
    # OpenCode prints a settings text that it cannot read, with whatever keys are in it.
    return scrub(COLOUR.sub("", text), _secrets(environment), strict=True).strip()[-SHOWN:]


def _secrets(environment: Mapping[str, str]) -> set[str]:
    return {value for name, value in environment.items() if is_secret(name) and len(value) >= SHORTEST_SECRET}
