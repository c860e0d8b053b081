"""Errors of OpenCode 2 as failures of the domain. Pure."""

from opencode_mcp.opencode.vocabulary.models import ABORTED_ERROR, Failure
from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_number, as_text

ABORTED = "aborted"
"""Type of the error of a step or a tool call that was stopped."""
INTERRUPTED_MESSAGE = "The run was interrupted."


def failure_of(error: JsonMap) -> Failure | None:
    """Convert an error ``{type, message, status?}``; ``None`` for an empty object.

    Raises:
        BackendFailed: A text in it cannot be read.
    """
    if not error:
        return None
    kind = as_text(error.get("type")) or "UnknownError"
    data: dict[str, object] = {"message": as_text(error.get("message")) or kind}
    if status := as_number(error.get("status")):
        data["statusCode"] = status
    return Failure.read({"name": ABORTED_ERROR if kind == ABORTED else kind, "data": data})


def interruption(message: str = "") -> Failure:
    """Return the failure of a run that somebody stopped, with OpenCode's message if there is one."""
    return Failure(name=ABORTED_ERROR, data={"message": message or INTERRUPTED_MESSAGE})
