"""Tolerant readers for values in JSON: a value of another type is read as if it were missing.

Pure. A newer OpenCode may change the type of a field; that must cost a detail and not the whole object.
"""

import math
from collections.abc import Mapping
from typing import cast

from opencode_mcp.text.json_types import JsonMap


def as_map(value: object) -> JsonMap:
    """Return a value that should be an object; an empty one if it is not."""
    return cast("JsonMap", value) if isinstance(value, Mapping) else {}


def as_list(value: object) -> list[object]:
    """Return a value that should be an array; an empty one if it is not."""
    return cast("list[object]", value) if isinstance(value, list) else []


def as_maps(value: object) -> list[JsonMap]:
    """Return the objects of an array; other entries are left out."""
    return [cast("JsonMap", item) for item in as_list(value) if isinstance(item, Mapping)]


def as_text(value: object) -> str:
    """Return a value that should be a text; an empty one if it is not."""
    return value if isinstance(value, str) else ""


def as_texts(value: object) -> list[str]:
    """Return the texts of an array; other entries are left out."""
    return [item for item in as_list(value) if isinstance(item, str)]


def as_number(value: object) -> float | None:
    """Return a value that should be a finite number; ``None`` if it is not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:
        return None
