"""Encode an operation and its arguments as a request; decode a reply into a value or an error.

Pure: no network, no clock. The module handles the faults of OpenCode 1.18 on the wire: the page of the web app with
status 200 for an unknown route, two forms of 404, errors without a reason, empty bodies.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from opencode_mcp.errors import (
    BackendFailed,
    BridgeError,
    InvalidArgument,
    NotFound,
    SessionBusy,
    Unauthorized,
    UnsupportedOperation,
)
from opencode_mcp.opencode.http_client.config_problems import config_problem
from opencode_mcp.opencode.http_client.request_checks import (
    check_body,
    check_numbers,
    check_path,
    check_query,
    check_target,
)
from opencode_mcp.opencode.versions import versions_supported
from opencode_mcp.text.json_text import read_json

if TYPE_CHECKING:
    from opencode_mcp.opencode.tables.operation_table import Operation

JSON = "application/json"
UNREADABLE = "Unreadable"
"""Kind of a failure to encode an answer: OpenCode 1.18 cannot list an entry that violates its own schema."""
DIRECTORY_NAMES = {
    "directory": "directory",
    "location": "location[directory]",
    "location[directory]": "location[directory]",
}
DECODED_TWICE = frozenset({"directory", "location"})
"""Scopes of OpenCode 1, which decodes a directory once more than the encoding of the query."""
REASON_CHARACTERS = 2000
"""Longest text of OpenCode's in an error, in characters."""
PAGE_CHARACTERS = 500
"""Longest part of a page that was sent in place of an error, in characters."""
KIND_CHARACTERS = 100
TOO_LARGE = "ReplyTooLarge"
"""Kind of the failure for a reply or an event over the limit."""
FILE_CONTENT = "bytes"
"""Entry of the table for a reply that is a file; its media type is that of the file."""
PASSING_STATUSES = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
"""Statuses of a server that is not there at this moment."""
PASSING = "It is starting or stopping, or a proxy in front of it does not reach it. Call again in a moment."
REFUSED_HINT = (
    "Give --password the password of that server. For OpenCode 2, OPENCODE_PASSWORD sets it as well, and "
    "--attach service takes that of your background service. The user name of OpenCode 2 is always opencode. "
    "A pairing token is no lasting password. For OpenCode 1, set --username too if it has another one; "
    "OPENCODE_SERVER_PASSWORD sets the password as well."
)
"""Remedies for a refused password; who refuses it may be of either generation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """Request to OpenCode, without address and password."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: object = None
    """Value that is sent as JSON; ``None`` for no such body."""
    content: bytes | None = None
    """Body that is sent as it is; its type is in the headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Reply of OpenCode; header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""

    @property
    def media_type(self) -> str:
        """Return the content type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def encode(
    operation: "Operation",
    *,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, object] | None = None,
    body: object = None,
    directory: str = "",
) -> HttpRequest:
    """Build the request of an operation.

    Args:
        operation: The row of the table.
        path: Values of the path's parameters, unescaped.
        query: Values of the query's parameters; ``None`` values are left out.
        body: Value that is sent as JSON, or the text that is sent as it is; ``None`` sends no body.
        directory: Absolute path that chooses the project; empty for the server's own, or the session's.

    Raises:
        InvalidArgument: A value would reach another route, or is larger than OpenCode accepts.
    """
    filled = _filled_path(operation, path or {})
    check_numbers(operation, query or {})
    texts = _query_texts(query or {}) | _project_text(operation, directory)
    check_query(operation, texts)
    check_target(operation, filled, texts)
    check_body(operation, body)
    request = HttpRequest(method=operation.method, path=filled, query=texts, headers=operation.headers)
    if operation.body_type == JSON or body is None:
        return replace(request, body=body)
    headers = {**operation.headers, "content-type": operation.body_type}
    return replace(request, headers=headers, content=str(body).encode())


def _filled_path(operation: "Operation", values: Mapping[str, str]) -> str:
    filled = operation.path
    for name, value in values.items():
        check_path(operation, name, value)
        filled = filled.replace(f"{{{name}}}", quote(value, safe=""))
    return filled


def _query_texts(query: Mapping[str, object]) -> dict[str, str]:
    return {name: _query_text(value) for name, value in query.items() if value is not None}


def _project_text(operation: "Operation", directory: str) -> dict[str, str]:
    """Return the part of a query that chooses the project; empty for the server's own, or the session's."""
    if not directory or operation.scope == "none":
        return {}
    sent = directory.replace("%", "%25") if operation.scope in DECODED_TWICE else directory
    return {DIRECTORY_NAMES[operation.scope]: sent}


def _query_text(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool | int | float | list | dict) else str(value)


def decode(operation: "Operation", reply: Reply) -> object:
    """Decode the reply to an operation.

    Returns:
        The JSON value; a text for a reply that is not JSON or is the content of a file; ``None`` for a reply without a
        body.

    Raises:
        BridgeError: The error that ``failure`` chooses.
    """
    if reply.status >= 400:  # noqa: PLR2004 - HTTP's own line between success and failure
        raise failure(operation.id, reply)
    if operation.reply == FILE_CONTENT:
        return reply.body.decode(errors="replace")
    if not reply.body:
        return None
    if reply.media_type == "text/html":
        raise UnsupportedOperation(
            f"This OpenCode does not know {operation.id} ({operation.method} {operation.path}).",
            hint=f"opencode-mcp supports OpenCode {versions_supported()}; upgrade the older of the two.",
        )
    if reply.media_type != JSON:
        return reply.body.decode(errors="replace")
    try:
        return read_json(reply.body)
    except ValueError as error:
        raise BackendFailed(
            f"OpenCode's answer to {operation.id} is not JSON that can be parsed.", status=reply.status
        ) from error


def failure(operation_id: str, reply: Reply) -> BridgeError:
    """Choose the error for a reply of status 400 and above, with OpenCode's message if it has one."""
    body = _body(reply)
    return config_problem(body) or _failure(operation_id, reply.status, body)


def _failure(operation_id: str, status: int, body: Mapping[str, object]) -> BridgeError:
    kind, message = _reason(status, body)
    if kind == UNREADABLE:
        text = f"OpenCode cannot encode its own answer to {operation_id}: {message}."
        return BackendFailed(text, hint="Nothing is wrong with the call.", status=status, kind=kind)
    if status == HTTPStatus.UNAUTHORIZED:
        return Unauthorized(
            "OpenCode refused the password.",
            hint=REFUSED_HINT,
        )
    return _refusal(operation_id, status, kind, message) or BackendFailed(
        f"OpenCode failed at {operation_id}: {message or f'HTTP {status}'}.",
        hint=PASSING if status in PASSING_STATUSES else "",
        status=status,
        kind=kind,
    )


def _refusal(operation_id: str, status: int, kind: str, message: str) -> BridgeError | None:
    match status:
        case 400 | 413:
            return InvalidArgument(f"OpenCode refused {operation_id}: {message or 'a malformed request'}.")
        case 404:
            return NotFound(message or f"OpenCode has nothing with that id ({operation_id}).")
        case 409:
            return _conflict(operation_id, kind, message)
        case _:
            return None


def _conflict(operation_id: str, kind: str, message: str) -> BridgeError:
    match kind:
        case "ConflictError":
            return InvalidArgument(f"OpenCode refused {operation_id}: {message or 'it exists already'}.")
        case "FormAlreadySettledError":
            return NotFound(message or "The form was answered or cancelled already.")
        case _:
            return SessionBusy(message or "The session is busy.", hint="Wait for its run, or abort it.")


def _body(reply: Reply) -> Mapping[str, object]:
    """Return the body of a failure. A text becomes its message; JSON that is not an object is dropped."""
    try:
        body = read_json(reply.body)
    except ValueError:
        return {"message": reply.body.decode(errors="replace").strip()[:PAGE_CHARACTERS]}
    return cast("Mapping[str, object]", body) if isinstance(body, Mapping) else {}


def _data_of(body: Mapping[str, object]) -> Mapping[str, object]:
    data = body.get("data")
    return cast("Mapping[str, object]", data) if isinstance(data, Mapping) else {}


def _reason(status: int, body: Mapping[str, object]) -> tuple[str, str]:
    """Return OpenCode's name for the error and its message, from any of the five forms that it uses."""
    data = _data_of(body)
    message = data.get("message") or body.get("message") or body.get("error") or ""
    # In a body with a tag, `name` may be the name of the object that the error is about.
    kind = body.get("_tag") or body.get("name") or ""
    # "Payload" and "Query" are faults of the request; "Body" is a fault of the answer.
    if status == HTTPStatus.BAD_REQUEST and data.get("kind") == "Body":
        kind = UNREADABLE
    return str(kind)[:KIND_CHARACTERS], " ".join(str(message)[:REASON_CHARACTERS].split()).rstrip(".")


def is_unreadable(error: BridgeError) -> bool:
    """Return True if OpenCode failed to encode its own answer.

    Version 1.18.33 cannot list a prompt with ``format``, nor a permission whose tool call left out an argument.
    """
    return isinstance(error, BackendFailed) and error.kind == UNREADABLE
