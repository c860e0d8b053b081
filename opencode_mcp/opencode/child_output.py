"""What OpenCode printed, in a form that may be shown: its end, without colours and without secrets."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

SHOWN = 2000
"""Characters of the output that fit in an error's text."""
READ = 65_536
"""Bytes that are read; a secret in them that is cut at their start is far from what is shown."""
COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
SECRET_NAME = re.compile(r"key|token|secret|passw|credential|auth(?!or)", re.IGNORECASE)
SHORTEST_SECRET = 8
HIDDEN = "***"
# OpenCode prints a settings text that it cannot read, with whatever keys are in it.
ASSIGNMENT = re.compile(
    r"""(["']?[\w-]*(?:key|token|secret|password|authorization)["']?\s*[:=]\s*)("[^"\n]*"?|(?:(?:basic|bearer)\s+)?\S+)""",
    re.IGNORECASE,
)


def read_output(path: Path, environment: Mapping[str, str]) -> str:
    """The end of what a process printed.

    Args:
        path: Where it printed to.
        environment: What it was started with; values with a telling name are hidden.
    """
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - READ))
        text = file.read().decode(errors="replace")
    return redact(COLOUR.sub("", text), environment).strip()[-SHOWN:]


def redact(text: str, environment: Mapping[str, str]) -> str:
    """Hide the environment's secrets in a text, and what is assigned to a name that tells of one."""
    for secret in _secrets(environment):
        text = text.replace(secret, HIDDEN)
    return ASSIGNMENT.sub(rf"\g<1>{HIDDEN}", text)


def _secrets(environment: Mapping[str, str]) -> Iterable[str]:
    found = {value for name, value in environment.items() if SECRET_NAME.search(name)}
    # A secret may contain another.
    return sorted((value for value in found if len(value) >= SHORTEST_SECRET), key=len, reverse=True)
