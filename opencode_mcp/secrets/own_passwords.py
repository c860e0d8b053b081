"""Secrets of the bridge itself: the passwords of the OpenCode servers that it uses.

They are the same for the whole process and must not leave it in any text: result, notification, log line, or output of
the doctor. Texts that only look like secrets are handled by ``redact_text.py``.
"""

import base64
import json
from urllib.parse import quote

MARK = "[hidden: a secret]"
SHORTEST_CHARACTERS = 6
"""Shortest secret that is hidden, in characters; a shorter one would also hide ordinary words."""
FRAGMENT_CHARACTERS = 12
"""Characters at the beginning or the end of a secret by which a part of it is recognised: texts may be cut."""
LONG_CHARACTERS = 2 * FRAGMENT_CHARACTERS
"""Shortest secret of which parts are recognised, in characters: half of a short one may be a word."""
JSON_IN_JSON = 4
"""Levels of JSON inside JSON texts in which a secret is still recognised."""


class KnownSecrets:
    """Set of texts to hide everywhere."""

    def __init__(self) -> None:
        self._forms: list[str] = []

    def add(self, secret: str, username: str = "") -> None:
        """Add a secret in all forms that it may have: escaped in JSON or in a URL, or in a Basic header.

        Args:
            secret: The password; a text that is too short is ignored.
            username: Its user name; empty if it is used without one.
        """
        if len(secret) < SHORTEST_CHARACTERS or secret in self._forms:
            return
        basic = base64.b64encode(f"{username}:{secret}".encode(errors="replace")).decode() if username else ""
        forms = {*self._forms, *_escaped(secret), quote(secret, safe="", errors="replace"), basic} - {""}
        self._forms = sorted(forms, key=len, reverse=True)

    def found_in(self, text: str) -> bool:
        """Return True if a text contains a secret, or the beginning or the end of a long one."""
        return any(any(part in text for part in _signs(form)) for form in self._forms)

    def redact(self, text: str) -> str:
        """Replace every secret by a mark."""
        for form in self._forms:
            if any(part in text for part in _signs(form)):
                text = _without(text, form)
        return text


def _escaped(secret: str) -> set[str]:
    """Return a secret as it appears in a text, in JSON, in JSON inside a JSON text, and so on."""
    forms = {secret}
    for _ in range(JSON_IN_JSON):
        forms |= {json.dumps(form, ensure_ascii=ascii_only)[1:-1] for form in forms for ascii_only in (True, False)}
    return forms


def _signs(form: str) -> tuple[str, ...]:
    return (form[:FRAGMENT_CHARACTERS], form[-FRAGMENT_CHARACTERS:]) if len(form) >= LONG_CHARACTERS else (form,)


def _without(text: str, form: str) -> str:
    text = text.replace(form, MARK)
    if len(form) < LONG_CHARACTERS:
        return text
    return _without_end(_without_beginning(text, form), form)


def _without_beginning(text: str, form: str) -> str:
    """Hide a text that begins like the secret, as far as it continues like it."""
    kept: list[str] = []
    at = 0
    while (found := text.find(form[:FRAGMENT_CHARACTERS], at)) >= 0:
        kept += [text[at:found], MARK]
        at = found + _common_length(text[found : found + len(form)], form)
    return "".join([*kept, text[at:]])


def _without_end(text: str, form: str) -> str:
    """Hide a text that ends like the secret, from the point where it is like it."""
    kept: list[str] = []
    at = 0
    while (found := text.find(form[-FRAGMENT_CHARACTERS:], at)) >= 0:
        end = found + FRAGMENT_CHARACTERS
        before = text[max(at, end - len(form)) : end]
        kept += [text[at : end - _common_length(before[::-1], form[::-1])], MARK]
        at = end
    return "".join([*kept, text[at:]])


def _common_length(one: str, other: str) -> int:
    length = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        length += 1
    return length


KNOWN_SECRETS = KnownSecrets()
"""The secrets of this process."""
