"""Text for a permission request: the input of the tool call that asks, and the calls that "always" would cover.

Pure. A permission names a kind and some patterns, which for most tools say nothing of what the call would do.
"""

import json
from collections.abc import Mapping, Sequence

from opencode_mcp.opencode.vocabulary.models import AlwaysLasts, ToolPart

VALUE_LIMIT = 1000
"""Characters of one argument that are shown."""
INPUT_LIMIT = 3000
"""Characters of all arguments that are shown."""
LASTS: Mapping[AlwaysLasts, str] = {
    "until_restart": "until OpenCode ends",
    "for_ever": "for ever, since OpenCode saves it; requests that are open in other sessions are answered too",
}
"""Texts that say how long "always" lasts."""


def input_text(call: ToolPart, shown: str) -> str:
    """The arguments of a tool call, a name and a value each, within ``INPUT_LIMIT`` characters.

    Args:
        call: The call that asks.
        shown: What is shown of it already; an argument whose value stands there is left out.
    """
    lines: list[str] = []
    left_out = 0
    room = INPUT_LIMIT
    for name, value in call.state.input.items():
        text = _as_text(value)
        if not text or text in shown:
            continue
        line = _line(name, text)
        room -= len(line)
        if room < 0:
            left_out += 1
        else:
            lines.append(line)
    if left_out:
        lines.append(f"… ({left_out} more arguments)")
    return "\n".join(lines)


def _as_text(value: object) -> str:
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _line(name: str, text: str) -> str:
    cut = text if len(text) <= VALUE_LIMIT else f"{text[:VALUE_LIMIT]}… ({len(text)} characters)"
    return f"{name}:\n{cut}" if "\n" in cut else f"{name}: {cut}"


def always_covers(permission: str, patterns: Sequence[str], lasts: AlwaysLasts = "until_restart") -> str:
    """Return the calls that the answer "always" would allow from then on, in words.

    Args:
        permission: The kind, such as ``bash``, or the tool's name.
        patterns: The patterns that OpenCode would allow; none: it names none.
        lasts: How long OpenCode keeps the answer.
    """
    if not patterns and lasts == "for_ever":
        return "nothing else, since OpenCode names nothing to save"
    if not patterns:
        calls = "the same again"
    elif "*" in patterns:
        calls = f"every call of {permission}, whatever its input"
    else:
        calls = f"every {permission} request that matches {' or '.join(patterns)}"
    return f"{calls}, in every session of the project {LASTS[lasts]}"
