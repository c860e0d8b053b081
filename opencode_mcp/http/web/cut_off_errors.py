"""JSON-RPC errors for requests that are refused or cut off, which say why."""

import json
from collections.abc import Mapping
from typing import cast

from mcp_types import INTERNAL_ERROR, ErrorData, JSONRPCError
from starlette.responses import Response

CHANGED_PRINCIPAL = (
    "The rights of this principal have changed, so its requests were cut off. Runs go on: do not send their "
    "prompts again. Connect again, with a new session: opencode_list_sessions and opencode_wait show what became of "
    "them."
)
SHUT_DOWN = (
    "This MCP server was shut down, so the request was cut off. Runs go on: do not send their prompts again. When it "
    "serves again, opencode_list_sessions and opencode_wait show what became of them."
)
SHUTTING_DOWN = "This MCP server is shutting down. Nothing was started. Try again in a moment."
REVOKED = (
    "The token of this request does not exist any more, so the request was cut off. Runs go on: do not send their "
    "prompts again. Connect again with a valid token: opencode_list_sessions and opencode_wait show what became of "
    "them."
)


def request_id_in(body: bytes) -> str | int | None:
    """Return the id of the JSON-RPC request in a body; ``None`` if there is none."""
    try:
        request: object = json.loads(body)
    except ValueError:
        return None
    found = cast("Mapping[str, object]", request).get("id") if isinstance(request, Mapping) else None
    return found if isinstance(found, str | int) and not isinstance(found, bool) else None


def error_of(request_id: str | int | None, reason: str) -> bytes:
    """Return the JSON-RPC error for a request that has no result."""
    error = JSONRPCError(jsonrpc="2.0", id=request_id, error=ErrorData(code=INTERNAL_ERROR, message=reason))
    return error.model_dump_json(by_alias=True, exclude_unset=True).encode()


def refusal_of(request_id: str | int | None, status: int, reason: str, headers: Mapping[str, str]) -> Response:
    """Return the response to a request that is not served."""
    return Response(error_of(request_id, reason), status, headers, media_type="application/json")


def event_of(request_id: str | int | None, reason: str) -> bytes:
    """Return the last event of a stream that was cut off: the error for its request, or a comment if it has none."""
    if request_id is None:
        return f": {reason}\r\n\r\n".encode()
    return b"event: message\r\ndata: " + error_of(request_id, reason) + b"\r\n\r\n"
