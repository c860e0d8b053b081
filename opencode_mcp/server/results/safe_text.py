"""Clean text of others before it is returned to a host.

``shown`` is for every text of a result, an error, a form or a progress line: it removes secrets, control sequences of
terminals and invisible characters, and makes the text valid Unicode. Requested contents of files and diffs are not
changed in this way: they must stay exact (see ``docs/security.md``).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import cast

from opencode_mcp.secrets import redact_text
from opencode_mcp.secrets.own_passwords import MARK
from opencode_mcp.text.outside_text import clean, valid_unicode

CODE = frozenset("$`;|&<>(){}!\\\"'\n\t ")
"""Characters that separate or end words in a shell line. Text without them is only a part of one word."""


def shown(text: str) -> str:
    """Return a text without secrets, control sequences and invisible characters, as valid Unicode."""
    # Most texts of structured content are names of fields and files.
    if text.isascii() and redact_text.SHORT_WORD.fullmatch(text):
        return text
    return redact_text.redacted_text(clean(valid_unicode(text)))


class ToDecide(str):
    """Text of a command on whose permission the reader decides; it is cleaned by ``shown_to_decide``."""

    __slots__ = ()


def shown_sections(sections: Iterable[str]) -> str:
    """Clean and join the sections of a text, each by its own kind; empty ones are left out."""
    safe = (shown_to_decide(text) if isinstance(text, ToDecide) else shown(text) for text in sections if text)
    return "\n\n".join(safe)


def shown_to_decide(text: str) -> str:
    """Clean a text for a reader who decides on its permission: only text that is certainly a secret is hidden.

    A command that is disguised as a key or a password (``-----BEGIN PRIVATE KEY-----; rm -rf ~``) would be hidden from
    the person or agent that permits it. If that is possible, no secret in the text is hidden.
    """
    plain = clean(valid_unicode(text))
    hidden = redact_text.redacted_text(plain)
    return hidden if _code_in(hidden) == _code_in(plain) else plain


def _code_in(text: str) -> Counter[str]:
    return Counter(letter for letter in text.replace(MARK, "") if letter in CODE)


def shown_data(value: object) -> object:
    """Return JSON data with every text in it cleaned by ``shown``, names of fields too."""
    match value:
        case ToDecide():
            return shown_to_decide(value)
        case str():
            return shown(value)
        case Mapping():
            items = cast("Mapping[str, object]", value).items()
            return {shown(key): shown_data(item) for key, item in items}
        case list() | tuple():
            return [shown_data(item) for item in cast("list[object]", value)]
        case _:
            return value


def valid_data(value: object) -> object:
    """Return JSON data with every text in it as valid Unicode, and nothing else changed."""
    match value:
        case str():
            return valid_unicode(value)
        case Mapping():
            items = cast("Mapping[str, object]", value).items()
            return {valid_unicode(key): valid_data(item) for key, item in items}
        case list() | tuple():
            return [valid_data(item) for item in cast("list[object]", value)]
        case _:
            return value
