"""Envelope of most replies of OpenCode 2: the content is in ``data``, beside the location and the cursor.

Pure. Callers write an expression for the content, as for a reply of OpenCode 1. An expression that begins with the name
of a field of the envelope is about the whole reply.
"""

import re
from collections.abc import Mapping
from typing import cast

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.server.operations import json_select

CONTENT = "data"
FIELDS = frozenset({CONTENT, "cursor", "hasMore", "location"})
FIRST_NAME = re.compile(r"\s*([A-Za-z_]\w*)")
NOTHING: tuple[object, ...] = (None, [], {})


def content_of(reply: object) -> object:
    """Return the content of a reply: what its envelope holds, or the reply itself if it has none."""
    envelope = _envelope(reply)
    return reply if envelope is None else envelope[CONTENT]


def select_part(reply: object, expression: str) -> object:
    """Return the part of a reply that a JMESPath expression selects from its content, or else from the whole of it.

    Raises:
        InvalidArgument: The expression cannot be evaluated on either.
    """
    envelope = _envelope(reply)
    name = FIRST_NAME.match(expression)
    if envelope is None or (name and name[1] in envelope):
        return json_select.select_json(reply, expression)
    try:
        found = json_select.select_json(envelope[CONTENT], expression)
    except InvalidArgument:
        return json_select.select_json(reply, expression)
    if found in NOTHING:
        return _of_whole(reply, expression) or found
    return found


def _of_whole(reply: object, expression: str) -> object:
    """Return what an expression selects from a whole reply; ``None`` if it does not fit it."""
    try:
        return json_select.select_json(reply, expression)
    except InvalidArgument:
        return None


def _envelope(reply: object) -> Mapping[str, object] | None:
    if not isinstance(reply, Mapping):
        return None
    fields = cast("Mapping[str, object]", reply)
    return fields if CONTENT in fields and fields.keys() <= FIELDS else None
