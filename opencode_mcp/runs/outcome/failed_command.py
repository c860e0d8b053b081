"""The last command of a run, if it failed. Pure."""

from collections.abc import Sequence

from opencode_mcp.diffs.named_files import SHELLS
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.parts import ToolPart
from opencode_mcp.text.json_values import as_text
from opencode_mcp.text.outside_text import one_line

LONGEST_COMMAND = 200


def failed_command(answers: Sequence[Message]) -> str:
    """Return the last command of a run with its exit code; empty if there is none, or it succeeded.

    An earlier failure is part of the work: the model has seen it, and went on.
    """
    ended = [call.state for message in answers for call in message.tool_calls if _is_ended_command(call)]
    if not ended or not ended[-1].metadata["exit"]:
        return ""
    last = ended[-1]
    return f"{one_line(as_text(last.input.get('command')), LONGEST_COMMAND)} (exit code {last.metadata['exit']})"


def _is_ended_command(call: ToolPart) -> bool:
    return call.tool in SHELLS and isinstance(call.state.metadata.get("exit"), int)
