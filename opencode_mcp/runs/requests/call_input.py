"""Text for a permission request: the input of the tool call that asks.

Pure. A permission names a kind and some patterns, which for most tools say nothing of what the call would do.
"""

from opencode_mcp.opencode.vocabulary.wire.parts import ToolPart
from opencode_mcp.text.json_text import text_or_json

VALUE_LIMIT = 1000
"""Characters of one argument that are shown."""
INPUT_LIMIT = 3000
"""Characters of all arguments that are shown."""


def input_text(call: ToolPart, shown: str) -> str:
    """Return the arguments of a tool call, a name and a value each, within ``INPUT_LIMIT`` characters.

    Args:
        call: The call that asks.
        shown: What is shown of it already; an argument whose value stands there is left out.
    """
    lines: list[str] = []
    left_out = 0
    room = INPUT_LIMIT
    for name, value in call.state.input.items():
        text = text_or_json(value).strip()
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


def _line(name: str, text: str) -> str:
    cut = text if len(text) <= VALUE_LIMIT else f"{text[:VALUE_LIMIT]}… ({len(text)} characters)"
    return f"{name}:\n{cut}" if "\n" in cut else f"{name}: {cut}"
