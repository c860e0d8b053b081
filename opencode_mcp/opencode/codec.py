"""An operation and its arguments become a request; a reply becomes a value or an error.

Pure: no network, no clock. What OpenCode 1.18 gets wrong on the wire is known here: the web app's page with 200 for an
unknown route, two shapes of 404, errors that hide their reason, bodies that are empty.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, urlencode

from opencode_mcp.errors import (
    BackendFailed,
    BridgeError,
    InvalidArgument,
    NotFound,
    SessionBusy,
    Unauthorized,
    UnsupportedOperation,
)
from opencode_mcp.opencode.config_problems import config_problem
from opencode_mcp.opencode.request_limits import check_body, check_numbers, check_path, check_query, check_target
from opencode_mcp.opencode.versions import versions_tested
from opencode_mcp.text.json_text import read_json

if TYPE_CHECKING:
    from opencode_mcp.opencode.operations.catalog import Operation

UNREADABLE = "Unreadable"
"""The kind of a failure to encode an answer: OpenCode 1.18 cannot list an entry that breaks its own schema."""
DIRECTORY_NAMES = {"directory": "directory", "location": "location[directory]"}
LONGEST_REASON = 2000
"""Characters of OpenCode's own words in an error."""
LONGEST_PAGE = 500
"""Characters of a page that stands where an error should."""
LONGEST_KIND = 100
FILE_CONTENT = "bytes"
"""What the table says of a reply that is a file: its media type is that of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What goes to OpenCode, but for the address and the password."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back; header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def encode(
    operation: "Operation",
    *,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, object] | None = None,
    body: object = None,
    directory: str = "",
) -> Request:
    """Make the request of an operation.

    Args:
        operation: The row of the table.
        path: Values of the path's parameters, unescaped.
        query: Values of the query's parameters; ``None`` values are left out.
        body: What is sent as JSON; ``None`` sends no body.
        directory: The absolute path that chooses the project; empty for the server's own, or the session's.

    Raises:
        InvalidArgument: A value would reach another route, or is larger than OpenCode accepts.
    """
    filled = operation.path
    for name, value in (path or {}).items():
        check_path(operation, name, value)
        filled = filled.replace(f"{{{name}}}", quote(value, safe=""))
    check_numbers(operation, query or {})
    texts = {name: _query_text(value) for name, value in (query or {}).items() if value is not None}
    if directory and operation.scope != "none":
        # OpenCode decodes a directory once more than the query's own encoding, so a literal % needs it twice.
        texts[DIRECTORY_NAMES[operation.scope]] = directory.replace("%", "%25")
    check_query(operation, texts)
    check_target(operation, len(filled) + len(urlencode(texts)))
    check_body(operation, body)
    return Request(method=operation.method, path=filled, query=texts, headers=operation.headers, body=body)


def _query_text(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool | int | float | list | dict) else str(value)


def decode(operation: "Operation", reply: Reply) -> object:
    """Read the reply to an operation.

    Returns:
        The JSON value; a text for a reply that is not JSON, or is the content of a file, whatever that holds; ``None``
        for a reply without a body.

    Raises:
        BridgeError: The one that fits: see ``failure``.
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
            hint=f"The bridge was tested with OpenCode {versions_tested()}; upgrade the older of the two.",
        )
    if reply.media_type != "application/json":
        return reply.body.decode(errors="replace")
    try:
        return read_json(reply.body)
    except ValueError as error:
        raise BackendFailed(
            f"OpenCode's answer to {operation.id} is not JSON that can be used.", status=reply.status
        ) from error


def failure(operation_id: str, reply: Reply) -> BridgeError:
    """Choose the error for a reply of status 400 and above, in OpenCode's own words where it has any."""
    body = _body(reply)
    return config_problem(body) or _failure(operation_id, reply.status, body)


def _failure(operation_id: str, status: int, body: Mapping[str, object]) -> BridgeError:
    kind, message = _reason(status, body)
    if kind == UNREADABLE:
        text = f"OpenCode cannot encode its own answer to {operation_id}: {message}."
        return BackendFailed(text, hint="Nothing is wrong with the call.", status=status, kind=kind)
    match status:
        case 401:
            return Unauthorized(
                "OpenCode refused the password.",
                hint="Set --username and --password (or OPENCODE_SERVER_PASSWORD) to those that it was started with.",
            )
        case 400:
            return InvalidArgument(f"OpenCode refused {operation_id}: {message or 'a malformed request'}.")
        case 404:
            return NotFound(message or f"OpenCode knows nothing by that name ({operation_id}).")
        case 409:
            return SessionBusy(message or "The session is busy.", hint="Wait for its run, or abort it.")
        case _:
            text = f"OpenCode failed at {operation_id}: {message or f'HTTP {status}'}."
            return BackendFailed(text, status=status, kind=kind)


def _body(reply: Reply) -> Mapping[str, object]:
    """A failure's body; a page that is no JSON stands for the message, and other JSON for nothing."""
    try:
        body = read_json(reply.body)
    except ValueError:
        return {"message": reply.body.decode(errors="replace").strip()[:LONGEST_PAGE]}
    return cast("Mapping[str, object]", body) if isinstance(body, Mapping) else {}


def _reason(status: int, body: Mapping[str, object]) -> tuple[str, str]:
    """OpenCode's name for the error and its message, out of the five shapes that it uses."""
    data = body.get("data")
    inner = cast("Mapping[str, object]", data).get("message") if isinstance(data, Mapping) else None
    message = inner or body.get("message") or body.get("error") or ""
    # A body with a tag may use `name` for the thing that it is about.
    kind = body.get("_tag") or body.get("name") or ""
    if status == HTTPStatus.BAD_REQUEST and isinstance(data, Mapping):
        # "Payload" and "Query" are the request's faults; "Body" is the answer's.
        kind = UNREADABLE if cast("Mapping[str, object]", data).get("kind") == "Body" else kind
    return str(kind)[:LONGEST_KIND], " ".join(str(message)[:LONGEST_REASON].split()).rstrip(".")


def is_unreadable(error: BridgeError) -> bool:
    """Whether OpenCode failed to encode its own answer.

    1.18.33 cannot list a prompt that carried ``format``, nor a permission whose tool call left out an argument.
    """
    return isinstance(error, BackendFailed) and error.kind == UNREADABLE
