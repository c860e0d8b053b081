"""Limits of a request to OpenCode: which texts it may contain, how long, how deep, which numbers.

Pure. Every request of the bridge is checked here, whether a tool, a completion or a caller's operation makes it. The
limits protect OpenCode, which serves several clients: OpenCode 1.18.33 aborts at a file query of two bytes if the
project contains a path of more than 512, and silently drops a request whose address is above 16 KB. The checks also
keep a value in its place: a path segment ``..`` would be resolved on the way and reach another route.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast
from urllib.parse import urlencode

from opencode_mcp.errors import InvalidArgument

if TYPE_CHECKING:
    from opencode_mcp.opencode.tables.operation_table import Operation

SEGMENT_BYTES = 255
"""Longest id or name in the path, in bytes."""
PATH_BYTES = 4096
"""Longest path of a file, in bytes."""
TEXT_BYTES = 4096
"""Longest text in the query, in bytes."""
FUZZY_QUERY_BYTES = 1
"""Longest query to OpenCode's fuzzy matcher, in bytes; the bridge has its own search (``file_search.py``)."""
QUERY_TEXTS: Mapping[tuple[str, str], int] = {
    ("find.files", "query"): FUZZY_QUERY_BYTES,
    ("v2.fs.find", "query"): FUZZY_QUERY_BYTES,
}
"""Limits of single texts in the query, by operation and name; ``TEXT_BYTES`` is the limit of all others."""
SEARCH_CHARACTERS = 200
"""Longest `search` in titles of sessions, in characters: OpenCode compares it with each position of each title."""
TARGET_BYTES = 12_000
"""Longest encoded path and query together, in bytes; OpenCode refuses headers of 16 KB."""
ENCODED_CHARACTER_BYTES = 12
"""Longest encoding of one character in an address, in bytes."""
TITLE_CHARACTERS = 500
"""Longest title of a session, in characters; every list of sessions contains it."""
TITLED = frozenset({"session.create", "session.update", "v2.session.create", "v2.session.update"})
BODY_TEXT_BYTES = 32 * 1024 * 1024
"""Total length of all texts in a body, in bytes; it allows prompts with files."""
BODY_VALUES = 100_000
"""Most values in a body, nested ones included."""
BODY_DEPTH = 100
"""Most levels of lists and objects in a body."""
LARGEST_NUMBER = 2**53 - 1
"""Largest whole number that JavaScript can represent."""


def check_path(operation: "Operation", name: str, value: str) -> None:
    """Check a value of the path.

    Raises:
        InvalidArgument: It is empty, too long, or would reach another route.
    """
    # Percent-encoding keeps every other value in its segment; these two are resolved even when encoded.
    if value in {"", ".", ".."}:
        raise InvalidArgument(f"`{name}` of {operation.id} is {value!r}, which names nothing.")
    _check_text(operation, name, value, PATH_BYTES if _is_relative_path(operation, name) else SEGMENT_BYTES)


def _is_relative_path(operation: "Operation", name: str) -> bool:
    return any(item.name == name and item.schema.get("format") == "relative-path" for item in operation.parameters)


def check_query(operation: "Operation", texts: Mapping[str, str]) -> None:
    """Check the texts of a query, each by itself.

    Raises:
        InvalidArgument: A text is too long, contains a NUL, or is not valid Unicode.
    """
    for name, text in texts.items():
        _check_text(operation, name, text, QUERY_TEXTS.get((operation.id, name), TEXT_BYTES))
    search = texts.get("search", "")
    if len(search) > SEARCH_CHARACTERS:
        raise InvalidArgument(
            f"`search` of {operation.id} is {len(search):,} characters long.",
            hint=f"It may have at most {SEARCH_CHARACTERS:,}.",
        )


def check_numbers(operation: "Operation", query: Mapping[str, object]) -> None:
    """Check the numbers of a query.

    Raises:
        InvalidArgument: A number is not finite, or larger than JavaScript can represent.
    """
    for name, value in query.items():
        if isinstance(value, int | float):
            _check_number(operation, f"`{name}`", value)


def check_target(operation: "Operation", path: str, query: Mapping[str, str]) -> None:
    """Check the length of the encoded path and the query together, which is encoded only if it may be too long.

    Raises:
        InvalidArgument: It is more than OpenCode accepts.
    """
    characters = sum(map(len, query)) + sum(map(len, query.values())) + 2 * len(query)
    if len(path) + characters * ENCODED_CHARACTER_BYTES <= TARGET_BYTES:
        return
    length = len(path) + len(urlencode(query))
    if length > TARGET_BYTES:
        raise InvalidArgument(
            f"The arguments of {operation.id} are {length:,} bytes long in the address.",
            hint=f"All together may be {TARGET_BYTES:,}; characters outside of ASCII count up to twelve.",
        )


def check_body(operation: "Operation", body: object) -> None:
    """Check a body as a whole.

    Raises:
        InvalidArgument: It is too large or too deep, or contains a number that JavaScript cannot represent.
    """
    if operation.id in TITLED and isinstance(body, Mapping):
        title = cast("Mapping[str, object]", body).get("title")
        if isinstance(title, str) and len(title) > TITLE_CHARACTERS:
            raise InvalidArgument(
                f"The title is {len(title):,} characters long.", hint=f"It may have at most {TITLE_CHARACTERS:,}."
            )
    _Measure(operation).take(cast("object", body))


class _Measure:
    """Counts the values of a body, level by level."""

    def __init__(self, operation: "Operation") -> None:
        self._operation = operation
        self._values = 0
        self._bytes = 0

    def take(self, body: object) -> None:
        level = [body]
        depth = 0
        while level:
            if depth > BODY_DEPTH:
                raise self._refusal(f"is nested deeper than {BODY_DEPTH} levels")
            depth += 1
            level = [inner for value in level for inner in self._inside(value)]
            self._values += len(level)
            if self._values > BODY_VALUES:
                raise self._refusal(f"holds more than {BODY_VALUES:,} values")

    def _inside(self, value: object) -> list[object]:
        match value:
            case str():
                self._count(value)
            case int() | float():
                _check_number(self._operation, "A number in the body", value)
            case Mapping():
                fields = cast("Mapping[str, object]", value)
                self._count("".join(fields))
                return list(fields.values())
            case list() | tuple():
                return list(cast("list[object]", value))
            case _:
                pass
        return []

    def _count(self, text: str) -> None:
        self._bytes += _length("A text", text)
        if self._bytes > BODY_TEXT_BYTES:
            raise self._refusal(f"holds more than {BODY_TEXT_BYTES:,} bytes of text")

    def _refusal(self, what: str) -> InvalidArgument:
        return InvalidArgument(f"The body of {self._operation.id} {what}.", hint="Send less data.")


def _check_number(operation: "Operation", what: str, value: float) -> None:
    if not math.isfinite(value) if isinstance(value, float) else abs(value) > LARGEST_NUMBER:
        raise InvalidArgument(
            f"{what} of {operation.id} is out of range.",
            hint=f"It must be between -{LARGEST_NUMBER} and {LARGEST_NUMBER}.",
        )


def _check_text(operation: "Operation", name: str, text: str, longest: int) -> None:
    if "\0" in text:
        raise InvalidArgument(f"`{name}` of {operation.id} must not hold a NUL character.")
    length = _length(f"`{name}`", text)
    if length > longest:
        raise InvalidArgument(
            f"`{name}` of {operation.id} is {length:,} bytes long.", hint=f"It may have at most {longest:,}."
        )


def _length(what: str, text: str) -> int:
    """Return the length of a text in bytes, as UTF-8."""
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError as error:
        raise InvalidArgument(f"{what} is not valid Unicode: it holds half of a surrogate pair.") from error
