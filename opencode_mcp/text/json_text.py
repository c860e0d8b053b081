"""Strict reader for JSON of OpenCode's, and the size of JSON values.

Pure. The reader raises ``ValueError`` for values that could break later code: text that is not JSON, nesting that would
exceed Python's recursion limit, and numbers that are not finite. Half of a surrogate pair, which JSON can express and
no encoding can, becomes U+FFFD.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import NoReturn, cast

DEEPEST_LEVEL = 100
"""Most levels of arrays and objects that are accepted."""
MOST_CONTAINERS = 2_000_000
"""Most arrays and objects in one text; each takes about 60 bytes of memory and two of text."""
HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")
"""Mark of half a surrogate pair in a text, escaped or as bytes."""
ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)
"""Shared encoder: ``json.dumps`` creates one for each call, which takes longer than a short text."""
BRACKETS = b"[]{}"
NEITHER_BRACKET_NOR_QUOTE = bytes(set(range(256)) - set(BRACKETS + b'"'))
ONE_KIND = bytes.maketrans(b"{}", b"[]")


def read_json(text: str | bytes) -> object:
    """Parse a JSON text.

    Raises:
        ValueError: It is not JSON, is nested deeper than ``DEEPEST_LEVEL``, contains more than ``MOST_CONTAINERS``
            arrays and objects, or contains a number that is not finite.
    """
    raw = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    if raw.count(b"[") + raw.count(b"{") > MOST_CONTAINERS:
        raise ValueError(f"holds more than {MOST_CONTAINERS:,} lists and maps")
    if too_deep(raw):
        raise ValueError(f"nested deeper than {DEEPEST_LEVEL} levels")
    value = cast("object", json.loads(text, parse_constant=_refuse, parse_float=_finite))
    return _without_half_pairs(value) if HALF_PAIR.search(raw) else value


def json_size(value: object) -> int:
    """Return the size of a value as JSON, in bytes of UTF-8."""
    return len(ENCODER.encode(value).encode(errors="surrogatepass"))


def too_deep(raw: bytes) -> bool:
    """Return True if a JSON text is nested deeper than ``DEEPEST_LEVEL``.

    Each step is one pass over the whole text in C, which is much cheaper than a check of each character: it removes the
    innermost pairs of brackets, one level at a time.
    """
    if raw.count(b"[") + raw.count(b"{") <= DEEPEST_LEVEL:
        return False
    unescaped = raw.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in raw else raw
    marks = unescaped.translate(ONE_KIND, NEITHER_BRACKET_NOR_QUOTE)
    # Every second piece is between two quotes: brackets in it are text.
    left = b"".join(marks.split(b'"')[::2])
    for _ in range(DEEPEST_LEVEL):
        fewer = left.replace(b"[]", b"")
        if len(fewer) == len(left):
            return len(left) > DEEPEST_LEVEL
        left = fewer
    return bool(left)


def _without_half_pairs(value: object) -> object:
    match value:
        case str():
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        case Mapping():
            items = cast("Mapping[str, object]", value).items()
            return {str(_without_half_pairs(name)): _without_half_pairs(item) for name, item in items}
        case list():
            return [_without_half_pairs(item) for item in cast("list[object]", value)]
        case _:
            return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def text_or_json(value: object) -> str:
    """Return a text as it is, and any other value as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
