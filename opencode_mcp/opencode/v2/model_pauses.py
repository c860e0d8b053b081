"""Pauses of OpenCode 2 before it asks a model again. Pure."""

from opencode_mcp.opencode.v2.failures import reason_of
from opencode_mcp.opencode.vocabulary.wire.session_objects import SessionStatus
from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_map, as_number


def pause_of(retry: JsonMap, otherwise: float = 0) -> SessionStatus:
    """Convert a pause, as an event or a message has it.

    OpenCode 2 counts the first request as the first attempt, and names the next one.

    Args:
        retry: The pause.
        otherwise: Its end in milliseconds since the epoch, if it does not say.
    """
    attempt = max(int(as_number(retry.get("attempt")) or 0) - 1, 1)
    message = reason_of(as_map(retry.get("error")))
    return SessionStatus(type="retry", attempt=attempt, message=message, next=as_number(retry.get("at")) or otherwise)
