"""Handler of OpenCode 2's operations that add a message under an id of the caller's choice."""

from typing import TYPE_CHECKING, cast

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.server.operations.handlers.default_handler import send
from opencode_mcp.text.json_values import as_map, as_text

if TYPE_CHECKING:
    from opencode_mcp.server.operations.handlers.handler import OperationRequest, OperationResult
    from opencode_mcp.text.json_types import JsonMap


async def add_message(request: "OperationRequest") -> "OperationResult":
    """Add a message, and fail if its id belongs to a message with another text.

    OpenCode 2 either refuses such a message or replies with the one that has the id, as if it had taken the new one.

    Raises:
        InvalidArgument: OpenCode replied with another text than the one that was sent.
    """
    outcome = await send(request)
    sent = cast("JsonMap", request.call.body or {})
    kept = as_map(as_map(as_map(outcome.value).get("data")).get("payload"))
    if not sent.get("id") or "text" not in kept or as_text(kept["text"]).strip() == as_text(sent.get("text")).strip():
        return outcome
    raise InvalidArgument(
        f"OpenCode has another message with the id {sent['id']}, and did not take this one.",
        hint="Leave out `id`, or choose a new one.",
    )
