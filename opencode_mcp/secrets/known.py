"""The secrets that the bridge itself holds: the passwords of the OpenCode servers that it reaches.

They are the same for the whole process, and must not leave it in any text: not in a result, a notification, a log
line or the doctor's output. What merely looks like a secret is the business of ``secret_text.py``.
"""

import base64
import json
from urllib.parse import quote

MARK = "[hidden: a secret]"
SHORTEST = 6
"""A secret of fewer characters is not hidden, since it would take innocent words with it."""
FRAGMENT = 12
"""How many of its first or last characters give a cut secret away. A text may have been cut in the middle of one."""
LONG = 2 * FRAGMENT
"""Only a secret of so many characters is also found where it is cut: the half of a short one may be a word."""
JSON_IN_JSON = 4
"""How deep a text of JSON may stand in another and still be known."""


class KnownSecrets:
    """Texts to hide wherever they stand."""

    def __init__(self) -> None:
        self._forms: list[str] = []

    def add(self, secret: str, username: str = "") -> None:
        """Remember a secret, and the forms in which it also travels: escaped in JSON or a URL, in a Basic header.

        Args:
            secret: The password; one that is too short is passed over.
            username: Whose it is; empty: it is not used with a name.
        """
        if len(secret) < SHORTEST or secret in self._forms:
            return
        basic = base64.b64encode(f"{username}:{secret}".encode(errors="replace")).decode() if username else ""
        forms = {*self._forms, *_escaped(secret), quote(secret, safe="", errors="replace"), basic} - {""}
        self._forms = sorted(forms, key=len, reverse=True)

    def found_in(self, text: str) -> bool:
        """Whether a text holds a secret, or the beginning or the end of a long one."""
        return any(any(part in text for part in _signs(form)) for form in self._forms)

    def hide(self, text: str) -> str:
        """Put a mark in place of every secret."""
        for form in self._forms:
            if any(part in text for part in _signs(form)):
                text = _without(text, form)
        return text


def _escaped(secret: str) -> set[str]:
    """A secret in a text, in JSON, in JSON that is a text of JSON, and so on."""
    forms = {secret}
    for _ in range(JSON_IN_JSON):
        forms |= {json.dumps(form, ensure_ascii=ascii_only)[1:-1] for form in forms for ascii_only in (True, False)}
    return forms


def _signs(form: str) -> tuple[str, ...]:
    return (form[:FRAGMENT], form[-FRAGMENT:]) if len(form) >= LONG else (form,)


def _without(text: str, form: str) -> str:
    text = text.replace(form, MARK)
    if len(form) < LONG:
        return text
    return _without_end(_without_beginning(text, form), form)


def _without_beginning(text: str, form: str) -> str:
    """Hide what begins as the secret does, as far as it goes on like it."""
    kept: list[str] = []
    at = 0
    while (found := text.find(form[:FRAGMENT], at)) >= 0:
        kept += [text[at:found], MARK]
        at = found + _common_length(text[found : found + len(form)], form)
    return "".join([*kept, text[at:]])


def _without_end(text: str, form: str) -> str:
    """Hide what ends as the secret does, from where it is like it."""
    kept: list[str] = []
    at = 0
    while (found := text.find(form[-FRAGMENT:], at)) >= 0:
        end = found + FRAGMENT
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
"""Those of this process."""
