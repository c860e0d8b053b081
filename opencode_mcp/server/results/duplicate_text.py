"""Remove long texts from the structured content of a result that its text contains, too.

Several hosts show their model both, so it would read every answer twice. Two show only the structured content, and get
it whole. ``waiting/host_limits.py`` names these hosts, and ``schemas.py`` names the fields that repeat the text.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from mcp_types import CallToolResult

from opencode_mcp.text.json_text import json_size

IN_TEXT = "only_in_text"
"""Field that names the removed fields."""
LONG = 200
"""Bytes of a text that is not removed: short answers cost little, and programs use them."""
LARGE = 2000
"""Bytes of a value that is not removed and not a text, such as a reply with ids that programs need."""


def without_repeated(outcome: CallToolResult, fields: Sequence[str]) -> CallToolResult:
    """Remove long fields from a result's structured content, and name them there.

    Args:
        outcome: The result.
        fields: Paths of names with dots between them; a list on the way stands for each of its items.
    """
    data = outcome.structured_content
    paths = {field: field.split(".") for field in fields}
    long = [field for field, path in paths.items() if _is_long(list(_found(data, path)))]
    if data is None or not long:
        return outcome
    kept: object = data
    for field in long:
        kept = _without(kept, paths[field])
    shorter = cast("dict[str, Any]", kept)
    return outcome.model_copy(update={"structured_content": {**shorter, IN_TEXT: long}})


def _is_long(values: Sequence[object]) -> bool:
    are_texts = all(isinstance(value, str) for value in values)
    return sum(map(json_size, values)) > (LONG if are_texts else LARGE)


def _found(value: object, path: Sequence[str]) -> Iterator[object]:
    """Yield the values at a path."""
    if not path:
        yield value
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _found(item, path)
    elif isinstance(value, Mapping):
        fields = cast("Mapping[str, object]", value)
        if path[0] in fields:
            yield from _found(fields[path[0]], path[1:])


def _without(value: object, path: Sequence[str]) -> object:
    if isinstance(value, list):
        return [_without(item, path) for item in cast("list[object]", value)]
    if not isinstance(value, Mapping):
        return value
    fields = cast("Mapping[str, object]", value)
    name, rest = path[0], path[1:]
    if name not in fields:
        return fields
    if rest:
        return {**fields, name: _without(fields[name], rest)}
    return {key: item for key, item in fields.items() if key != name}
