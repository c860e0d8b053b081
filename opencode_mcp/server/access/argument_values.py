"""Find values in the flat object of arguments, as ``opencode/tables/argument_rules.py`` names their places."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from opencode_mcp.opencode.tables.argument_rules import ArgumentRules
from opencode_mcp.opencode.v1.argument_rules import RULES as V1
from opencode_mcp.opencode.v2.argument_rules import RULES as V2
from opencode_mcp.opencode.versions import Generation

RULES: Mapping[Generation, ArgumentRules] = {1: V1, 2: V2}
"""Rules for the arguments of each generation's operations."""
ADDRESS = re.compile(r"ur[il]s?$", re.IGNORECASE)
"""Names of fields that hold a URL. OpenCode opens a ``file:`` URL anywhere on the disk, without permission. Such fields
occur at any depth, also where the table's schemas are cut."""
SESSIONS = ("sessionID", "parentID", "body.sessionID", "body.properties.sessionID", "info.parentID")
"""Arguments of any operation that name a session."""
NO_SESSION = "null"
"""Text that stands for no parent where sessions are listed."""


def addresses_in(arguments: object) -> Iterator[str]:
    """Yield the texts of all fields, at any depth, whose names say that they hold a URL."""
    open_values: list[tuple[object, bool]] = [(arguments, False)]
    while open_values:
        value, named = open_values.pop()
        if isinstance(value, str) and named:
            yield value
        open_values += _inner_values(value, named=named)


def _inner_values(value: object, *, named: bool) -> list[tuple[object, bool]]:
    """Return the values in an object or a list, each with whether it is part of a field that is named like an address.

    Args:
        value: Any value; a text, a number and the like hold none.
        named: Whether the value itself is part of such a field.
    """
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, object]", value)
        return [(item, named or bool(ADDRESS.search(name))) for name, item in fields.items()]
    if isinstance(value, list):
        return [(item, named) for item in cast("list[object]", value)]
    return []


def values_at(arguments: object, place: str) -> Iterator[object]:
    """Yield the values at a place; nothing if the path does not exist."""
    name, _, rest = place.partition(".")
    listed = name.endswith("[]")
    if not isinstance(arguments, Mapping):
        return
    found = cast("Mapping[str, object]", arguments).get(name.removesuffix("[]"))
    items = cast("list[object]", found) if listed and isinstance(found, list) else [found]
    for item in items:
        if rest:
            yield from values_at(item, rest)
        elif item is not None:
            yield item


def texts_at(arguments: Mapping[str, object], places: Sequence[str]) -> list[str]:
    """Return the texts at some places, in their order."""
    return [text for place in places for text in values_at(arguments, place) if isinstance(text, str)]


def with_text_at(value: Any, place: str, text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Copy a value with another text at a place, if it has a text there; otherwise return the value itself."""
    name, _, rest = place.partition(".")
    if not isinstance(value, Mapping) or name not in value:
        return cast("object", value)
    fields = cast("Mapping[str, object]", value)
    if rest:
        return {**fields, name: with_text_at(fields[name], rest, text)}
    return {**fields, name: text} if isinstance(fields[name], str) else fields
