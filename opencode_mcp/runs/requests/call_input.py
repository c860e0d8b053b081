"""Text for a permission request: the input of the tool call that asks.

Pure. A permission names a kind and some patterns, which for most tools say nothing of what the call would do.
"""

import json

from opencode_mcp.opencode.vocabulary.wire.parts import ToolPart

VALUE_LIMIT = 1000
"""Characters of one argument that are shown."""
INPUT_LIMIT = 3000
"""Characters of all arguments that are shown."""


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
