"""Limits for the size of a tool's arguments, checked before anything else.

Pure. An argument's schema describes its type. The limits here are those that schemas do not set: the length of texts,
the size of numbers, the depth and number of values. A prompt may be long, a path or a pattern need not be.
"""

import sys
from collections.abc import Iterator, Mapping
from typing import cast

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.text.outside_text import cut

TEXT = 4096
"""Limit of an argument in characters, all texts in it together, unless ``LONGER`` names it."""
LONGER: Mapping[str, int] = {
    "prompt": 2_000_000,
    "arguments": 2_000_000,
    "command": 100_000,
    "message": 100_000,
    "answers": 100_000,
    "tasks": 2_000_000,
    "common": 2_000_000,
    "output_schema": 100_000,
    "files": 100_000,
    "include": 20_000,
    "session_ids": 20_000,
}
NAME_CHARACTERS = 60
"""Longest part of an argument's name that an error shows; no argument of a tool has a longer one."""
DEEPEST = 50
"""Limit of nested lists and maps in an argument."""
MOST_VALUES = 50_000
"""Limit of values in an argument, inner ones included."""
LARGEST = 2**53 - 1
"""Largest whole number that every JSON reader keeps exact."""


def check_limits(arguments: Mapping[str, object]) -> None:
    """Check the arguments of a call.

    Raises:
        InvalidArgument: One is too long or too deep, or holds a number or a character that is not allowed.
    """
    for name, value in arguments.items():
        longest = LONGER.get(name, TEXT)
        length = sum(_lengths(name, value))
        if length > longest:
            raise InvalidArgument(
                f"`{_shown(name)}` is {length:,} characters long.", hint=f"It may have at most {longest:,}."
            )


def _lengths(name: str, value: object) -> Iterator[int]:
    """Yield the lengths of all texts in an argument, names of fields included."""
    level = [value]
    count = depth = 0
    while level:
        count += len(level)
        if depth > DEEPEST or count > MOST_VALUES:
            raise InvalidArgument(
                f"`{_shown(name)}` is too large.",
                hint=f"It may hold at most {MOST_VALUES:,} values, nested at most {DEEPEST} levels deep.",
            )
        yield from (_length(name, item) for item in level)
        level = [inner for item in level for inner in _inside(item)]
        depth += 1


def _inside(value: object) -> list[object]:
    if isinstance(value, Mapping):
        fields = cast("Mapping[object, object]", value)
        return [*fields, *fields.values()]
    return cast("list[object]", value) if isinstance(value, list) else []


def _length(name: str, value: object) -> int:
    if isinstance(value, int | float) and not abs(value) <= _largest(value):
        raise InvalidArgument(
            f"`{_shown(name)}` holds a number that is out of range.",
            hint=f"Numbers are between -{LARGEST} and {LARGEST}.",
        )
    if not isinstance(value, str):
        return 0
    if "\0" in value or not _is_unicode(value):
        raise InvalidArgument(
            f"`{_shown(name)}` holds a NUL character or half of a surrogate pair.", hint="Leave it out."
        )
    return len(value)


def _largest(value: float) -> float:
    """Return the limit for a number. A fraction only has to be finite; NaN counts as too large."""
    return LARGEST if isinstance(value, int) else sys.float_info.max


def _is_unicode(text: str) -> bool:
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def _shown(name: str) -> str:
    return cut(name, NAME_CHARACTERS)
