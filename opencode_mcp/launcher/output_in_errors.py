"""Output of the OpenCode process in a form that may be shown: its end, without colours and secrets."""

import re
from collections.abc import Mapping
from pathlib import Path

from opencode_mcp.secrets import redact_text
from opencode_mcp.secrets.secret_names import is_secret

SHOWN_CHARACTERS = 2000
"""Longest output in an error's text, in characters."""
READ_BYTES = 65_536
"""Bytes that are read from the end. A secret that is cut at their start is far from the part that is shown."""
COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
SHORTEST_SECRET_CHARACTERS = 8
"""Shortest value of a variable that is hidden, in characters; a shorter one may be an ordinary word."""


def read_output(path: Path, environment: Mapping[str, str]) -> str:
    """Return the end of the output of a process.

    Args:
        path: The file that holds the output.
        environment: The environment of the process. Values whose name marks them as secret are hidden.
    """
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - READ_BYTES))
        text = file.read().decode(errors="replace")
    # OpenCode prints a settings text that it cannot parse, including the keys in it.
    redacted = redact_text.redacted_text(COLOUR.sub("", text), _secrets(environment), strict=True)
    return redacted.strip()[-SHOWN_CHARACTERS:]


def _secrets(environment: Mapping[str, str]) -> set[str]:
    return {
        value for name, value in environment.items() if is_secret(name) and len(value) >= SHORTEST_SECRET_CHARACTERS
    }
