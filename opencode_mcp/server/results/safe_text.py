"""Text that others wrote, in the form in which it leaves the bridge.

``shown`` is for every text of a result, an error, a form or a progress line: without secrets, without what a terminal
would obey or a reader would not see, and valid Unicode. The contents of files and diffs that a caller asked for are not
changed so: they must stay what they are (see ``docs/security.md``).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import cast

from opencode_mcp.secrets.known import MARK
from opencode_mcp.secrets.text import scrub
from opencode_mcp.text.outside_text import clean, valid_unicode

CODE = frozenset("$`;|&<>(){}!\\\"'\n\t ")
"""Without one of these, no part of a shell line is more than a part of one word."""


def shown(text: str) -> str:
    """A text as it may be shown."""
    return scrub(clean(valid_unicode(text)))


class ToDecide(str):
    """A text whose reader decides whether it is run; it is shown by ``shown_to_decide``."""

    __slots__ = ()


def shown_sections(sections: Iterable[str]) -> str:
    """The sections of a text as it may be shown, each judged by itself; empty ones are left out."""
    safe = (shown_to_decide(text) if isinstance(text, ToDecide) else shown(text) for text in sections if text)
    return "\n\n".join(safe)


def shown_to_decide(text: str) -> str:
    """A text as it may be shown to who decides whether it is run: a secret is hidden where it can be nothing else.

    A command that is dressed up as a key or a password (``-----BEGIN PRIVATE KEY-----; rm -rf ~``) would be hidden from
    the one who allows it. Where that may be so, the whole text is shown as it is.
    """
    plain = clean(valid_unicode(text))
    hidden = scrub(plain)
    return hidden if _code_in(hidden) == _code_in(plain) else plain


def _code_in(text: str) -> Counter[str]:
    return Counter(letter for letter in text.replace(MARK, "") if letter in CODE)


def shown_data(value: object) -> object:
    """JSON data with every text of it, names of fields too, as it may be shown."""
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
    """JSON data with every text of it as valid Unicode, and nothing else changed."""
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
