"""Write an outgoing message as one line of valid Unicode, without the bridge's secrets.

This is the last step before the host, so it applies to every result, error, notification and request. It does not
interpret messages.
"""

import json
from collections.abc import Mapping
from math import isfinite
from typing import cast

from opencode_mcp.secrets.own_passwords import KNOWN_SECRETS
from opencode_mcp.text.outside_text import valid_unicode

LINE_ENDS = {character: f"\\u{ord(character):04x}" for character in "\x85\u2028\u2029"}
"""Characters that JSON allows in a text, but at which some readers end a line."""
PROTOCOL_NAMES = frozenset({"jsonrpc", "id", "method", "type", "role", "mimeType", "requestState", "protocolVersion"})
"""Fields whose texts belong to the protocol and are not changed, even if a secret equals such a text."""
DATA = "structuredContent"
"""Field in which those names have no meaning of the protocol."""


def line_of(message: object) -> bytes:
    """Write a message, or a batch of them, as one line with its end.

    Args:
        message: JSON-RPC as JSON data. Half surrogate pairs become U+FFFD, and numbers that JSON does not have become
            null.
    """
    text = _json(message)
    if KNOWN_SECRETS.found_in(text):
        text = _json(_hidden(message))
    for character, escape in LINE_ENDS.items():
        text = text.replace(character, escape)
    return valid_unicode(text).encode() + b"\n"


def _json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"))


def _finite(value: object) -> object:
    match value:
        case float():
            return value if isfinite(value) else None
        case Mapping():
            return {key: _finite(item) for key, item in cast("Mapping[str, object]", value).items()}
        case list():
            return [_finite(item) for item in cast("list[object]", value)]
        case _:
            return value


def _hidden(value: object, *, is_protocol: bool = True) -> object:
    match value:
        case str():
            return KNOWN_SECRETS.redact(value)
        case Mapping():
            items = cast("Mapping[str, object]", value).items()
            return {KNOWN_SECRETS.redact(key): _hidden_field(key, item, is_protocol=is_protocol) for key, item in items}
        case list():
            return [_hidden(item, is_protocol=is_protocol) for item in cast("list[object]", value)]
        case _:
            return value


def _hidden_field(name: str, value: object, *, is_protocol: bool) -> object:
    if is_protocol and name in PROTOCOL_NAMES and isinstance(value, str):
        return value
    return _hidden(value, is_protocol=is_protocol and name != DATA)
