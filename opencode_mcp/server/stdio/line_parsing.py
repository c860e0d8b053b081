"""Read a line of the host as JSON-RPC: the messages in it, and an error response for each value that is none.

Pure. The SDK drops a line that it cannot read, and the host gets no response. So every request that can be recognised
is answered, with its id if that can be read.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import NoReturn, cast

from mcp_types import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    RequestId,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

from opencode_mcp.text.outside_text import valid_unicode

DEEPEST = 128
"""Limit of nested lists and objects in a message; far more than any schema or argument needs."""
LARGEST_BATCH = 100
TOKENS_SEARCHED = 100_000
"""Limit of tokens in which the id is searched, in a line that cannot be parsed."""
BYTE_ORDER_MARK = "\ufeff"
# An unclosed text extends to the end, also after a last backslash, so that each character is examined once.
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[\[\]{}:]|[^\s"\[\]{}:,]+', re.DOTALL)
LEVELS = {"[": 1, "{": 1, "]": -1, "}": -1}
ANSWERS = frozenset({"result", "error"})
"""Fields of the host's responses. They are never answered: their ids are ours, and may equal an id of the host."""
SURROGATE = re.compile("[\ud800-\udfff]")
SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class Line:
    """Content of one line."""

    messages: list[JSONRPCMessage] = field(default_factory=list[JSONRPCMessage])
    replies: list[JSONRPCError] = field(default_factory=list[JSONRPCError])
    """Error responses to send at once."""
    is_batch: bool = False
    """True if the responses belong into one list."""


class _Refused(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def read_line(line: str, *, batches: bool) -> Line:
    """Read a line.

    Args:
        line: The line without its end; an empty line has no messages.
        batches: Whether the connection's protocol has batches (only 2025-03-26 does).
    """
    if not line.strip():
        return Line()
    try:
        value = _parsed(line)
        # To search one line takes much less time than to look at each text in it.
        is_valid = line.isascii() and SURROGATE_ESCAPE.search(line) is None
        if isinstance(value, list):
            return _batch(cast("list[object]", value), allowed=batches, is_valid=is_valid)
        return Line([_message(value, is_valid=is_valid)])
    except _Refused as refused:
        return Line(replies=[_reply(refused, _readable_id(line))])


def _parsed(line: str) -> object:
    if line.startswith(BYTE_ORDER_MARK):
        raise _Refused(PARSE_ERROR, "The line begins with a byte-order mark. Send UTF-8 without one.")
    if _is_too_deep(line):
        raise _Refused(INVALID_REQUEST, f"The message is nested deeper than {DEEPEST} levels.")
    try:
        return cast("object", json.loads(line, parse_constant=_refuse_constant))
    except ValueError as error:
        raise _Refused(PARSE_ERROR, f"The line is not JSON: {error}.") from error


def _refuse_constant(name: str) -> NoReturn:
    raise _Refused(PARSE_ERROR, f"The line is not JSON: {name} is not a JSON value.")


def _is_too_deep(line: str) -> bool:
    if line.count("[") + line.count("{") <= DEEPEST:
        return False
    level = 0
    for token in TOKEN.finditer(line):
        level += LEVELS.get(token[0], 0)
        if level > DEEPEST:
            return True
    return False


def _batch(values: list[object], *, allowed: bool, is_valid: bool) -> Line:
    if not allowed:
        raise _Refused(INVALID_REQUEST, "This connection has no batches: send one message in each line.")
    if not values or len(values) > LARGEST_BATCH:
        raise _Refused(INVALID_REQUEST, f"A batch holds 1 to {LARGEST_BATCH} messages; this one holds {len(values)}.")
    line = Line(is_batch=True)
    for value in values:
        try:
            line.messages.append(_message(value, is_valid=is_valid))
        except _Refused as refused:
            line.replies.append(_reply(refused, None if _is_answer(value) else _id_of(value)))
    return line


def _message(value: object, *, is_valid: bool) -> JSONRPCMessage:
    """Return a value as a message.

    Args:
        value: The value.
        is_valid: Whether its texts are known to be valid Unicode.
    """
    if not isinstance(value, dict):
        raise _Refused(INVALID_REQUEST, "A message is a JSON object.")
    fields = cast("dict[str, object]", value)
    has_surrogate = not is_valid and _has_surrogate(fields)
    if "method" in fields:
        _check_call(fields, has_surrogate=has_surrogate)
    elif not _is_answer(fields):
        raise _Refused(INVALID_REQUEST, "The message has neither `method` nor `result` nor `error`.")
    elif has_surrogate:
        # If a response were refused, its request would get no response.
        fields = cast("dict[str, object]", _with_valid_text(fields))
    try:
        return jsonrpc_message_adapter.validate_python(fields, by_name=False)
    except ValidationError as error:
        raise _Refused(INVALID_REQUEST, "The message is not JSON-RPC 2.0.") from error


def _check_call(fields: Mapping[str, object], *, has_surrogate: bool) -> None:
    """Refuse a request or a notification that the SDK would drop, or whose texts no response could repeat."""
    if fields.get("jsonrpc") != "2.0":
        raise _Refused(INVALID_REQUEST, '`jsonrpc` must be "2.0".')
    if "id" in fields and _id_of(fields) is None:
        raise _Refused(INVALID_REQUEST, "`id` must be a text or a whole number.")
    if not isinstance(fields["method"], str):
        raise _Refused(INVALID_REQUEST, "`method` must be a text.")
    if has_surrogate:
        raise _Refused(INVALID_REQUEST, "A text of the message holds half a surrogate pair, which is not Unicode.")
    if not isinstance(fields.get("params") or {}, dict):
        raise _Refused(INVALID_PARAMS, "`params` must be an object.")


def _has_surrogate(value: object) -> bool:
    match value:
        case str():
            return not value.isascii() and SURROGATE.search(value) is not None
        case dict():
            pairs = cast("dict[str, object]", value).items()
            return any(_has_surrogate(key) or _has_surrogate(item) for key, item in pairs)
        case list():
            return any(map(_has_surrogate, cast("list[object]", value)))
        case _:
            return False


def _with_valid_text(value: object) -> object:
    match value:
        case str():
            return valid_unicode(value)
        case dict():
            pairs = cast("dict[str, object]", value).items()
            return {valid_unicode(key): _with_valid_text(item) for key, item in pairs}
        case list():
            return [_with_valid_text(item) for item in cast("list[object]", value)]
        case _:
            return value


def _id_of(value: object) -> RequestId | None:
    found = cast("dict[str, object]", value).get("id") if isinstance(value, dict) else None
    return found if isinstance(found, int | str) and not isinstance(found, bool) and not _has_surrogate(found) else None


def _is_answer(value: object) -> bool:
    return isinstance(value, dict) and not ANSWERS.isdisjoint(cast("dict[str, object]", value))


def _readable_id(line: str) -> RequestId | None:
    """Return the id of a request that may not be valid JSON: the value after ``"id":`` at the first level."""
    found = ""
    for key, before, text in _first_level(line):
        if before == ":" and key == '"id"':
            found = found or text
        if text == ":" and before.strip('"') in ANSWERS:
            return None
    return _id_in(found)


def _first_level(line: str) -> Iterator[tuple[str, str, str]]:
    """Yield each token at the first level, behind the two tokens before it."""
    level = 0
    key = before = ""
    for token in islice(TOKEN.finditer(line.removeprefix(BYTE_ORDER_MARK)), TOKENS_SEARCHED):
        text = token[0]
        if level == 1:
            yield key, before, text
        level += LEVELS.get(text, 0)
        key, before = before, text


def _id_in(text: str) -> RequestId | None:
    try:
        return _id_of({"id": json.loads(text)})
    except ValueError:
        return None


def _reply(refused: _Refused, request_id: RequestId | None) -> JSONRPCError:
    return JSONRPCError(jsonrpc="2.0", id=request_id, error=ErrorData(code=refused.code, message=refused.message))
