"""Response to a request of MCP that is not served: a JSON-RPC error with its id, and when the client may try again."""

from typing import TYPE_CHECKING

from opencode_mcp.http.web.cut_off_errors import refusal_of
from opencode_mcp.http.web.exchange import UNAVAILABLE, exchange_of

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

ANOTHER_TRY_SECONDS = 5
"""Time after which a refused client may try again."""


async def refuse(reason: str, scope: "Scope", receive: "Receive", send: "Send") -> None:
    """Answer a request that was not begun with an error.

    Args:
        reason: Sentences for the client.
        scope: The request, with the next two arguments.
        receive: Returns its messages.
        send: Sends the messages of the response.
    """
    request_id = await exchange_of(scope).request_id()
    response = refusal_of(request_id, UNAVAILABLE, reason, {"Retry-After": str(ANOTHER_TRY_SECONDS)})
    await response(scope, receive, send)
