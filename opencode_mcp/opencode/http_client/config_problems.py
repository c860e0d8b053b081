"""Errors of OpenCode about a configuration file that it cannot use: the file, and the faults in it.

Pure. While a file of the project or of the user is invalid, OpenCode 1.18 answers every operation in the project with
this error. It quotes the whole file. Only the places of the faults are reported, because the file may contain keys.
"""

import re
from collections.abc import Mapping
from typing import cast

from opencode_mcp.errors import InvalidConfiguration
from opencode_mcp.secrets.secret_names import is_secret
from opencode_mcp.text.outside_text import one_line, shorten

NAME = re.compile(r"Config\w*Error")
"""``ConfigInvalidError``, ``ConfigJsonError``, ``ConfigFrontmatterError``."""
SYNTAX = re.compile(r"^\w+ at line \d+, column \d+$", re.MULTILINE)
QUOTED = "--- JSONC Input ---"
VALUE = ", got "
"""Text in front of the value that was found."""
SHOWN_FAULTS = 10
FAULT_CHARACTERS = 500
"""Longest text of one fault, in characters."""
HINT = (
    "Nothing is wrong with the call: the owner of the file must fix it. OpenCode answers no request in a directory "
    "whose configuration it cannot use, and reads the file again only after a restart."
)


def config_problem(body: Mapping[str, object]) -> InvalidConfiguration | None:
    """Return the error for the body of a failure; ``None`` if the failure is not about a configuration file."""
    data = body.get("data")
    if not NAME.fullmatch(str(body.get("name"))) or not isinstance(data, Mapping):
        return None
    data = cast("Mapping[str, object]", data)
    file = one_line(str(data.get("path") or "unknown"))
    faults = _issues(data.get("issues")) or _message(str(data.get("message") or ""))
    reasons = "; ".join(faults[:SHOWN_FAULTS]) or "it does not say why"
    more = f"; and {len(faults) - SHOWN_FAULTS} more" if len(faults) > SHOWN_FAULTS else ""
    return InvalidConfiguration(f"OpenCode cannot use the configuration file {file}: {reasons}{more}.", hint=HINT)


def _issues(issues: object) -> list[str]:
    entries = cast("list[object]", issues) if isinstance(issues, list) else []
    return [_issue(cast("Mapping[str, object]", entry)) for entry in entries if isinstance(entry, Mapping)]


def _issue(issue: Mapping[str, object]) -> str:
    path = issue.get("path")
    steps = [str(step) for step in cast("list[object]", path)] if isinstance(path, list) else []
    message = str(issue.get("message") or "wrong")
    if any(is_secret(step) for step in steps):
        message = message.partition(VALUE)[0]
    return _short(f"{'.'.join(steps)}: {message}" if steps else message)


def _message(message: str) -> list[str]:
    """Return the faults of a file that is not JSON, or the whole message if it quotes no file."""
    if QUOTED in message:
        return SYNTAX.findall(message.rpartition("--- Errors ---")[2]) or ["it is not JSON"]
    return [_short(message)] if message.strip() else []


def _short(text: str) -> str:
    return shorten(text, FAULT_CHARACTERS).rstrip(".")
