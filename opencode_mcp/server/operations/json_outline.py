"""Outline of a JSON value: the names of its fields and the lengths of its lists, without values.

Pure. ``[12 of {id, title, time: {created, updated}}]`` says what can be selected of a reply that is too long.
"""

from collections.abc import Mapping
from typing import cast

from opencode_mcp.text.outside_text import one_line

LEVELS = 4
"""Levels of maps and lists that are shown."""
NAMES = 15
"""Most names of a map that are shown."""
ITEMS = 20
"""Items of a list whose names are collected."""
MOST_CHARACTERS = 700
"""Longest outline, in characters."""


def outline(value: object) -> str:
    """Return the outline of a value."""
    return one_line(_outline(value, LEVELS), MOST_CHARACTERS)


def _outline(value: object, levels: int) -> str:
    match value:
        case Mapping():
            return _of_map(cast("Mapping[str, object]", value), levels)
        case list():
            return _of_list(cast("list[object]", value), levels)
        case str():
            return "text"
        case bool():
            return "true or false"
        case None:
            return "null"
        case _:
            return "number"


def _of_map(fields: Mapping[str, object], levels: int) -> str:
    if not fields or not levels:
        return "{…}" if fields else "{}"
    shown = [_field(name, item, levels - 1) for name, item in list(fields.items())[:NAMES]]
    more = [f"… {len(fields) - NAMES:,} more"] if len(fields) > NAMES else []
    return f"{{{', '.join([*shown, *more])}}}"


def _field(name: str, value: object, levels: int) -> str:
    shown = one_line(name)
    return f"{shown}: {_outline(value, levels)}" if _has_parts(value) else shown


def _has_parts(value: object) -> bool:
    return value not in ({}, []) and isinstance(value, Mapping | list)


def _of_list(items: list[object], levels: int) -> str:
    if not items:
        return "[]"
    maps = [cast("Mapping[str, object]", item) for item in items[:ITEMS] if isinstance(item, Mapping)]
    merged = {name: item for fields in reversed(maps) for name, item in fields.items()}
    return f"[{len(items):,} of {_outline(merged or items[0], levels)}]"
