"""Replacement of secrets in a text by a mark: keys of well-known services, and values with a secret's name.

Pure. The time is proportional to the length of the text, whatever it contains. JSON data is handled by
``redact_data.py``.
"""

import re
from collections.abc import Callable, Collection
from string import ascii_letters, digits
from urllib.parse import unquote

from opencode_mcp.secrets.key_patterns import CANDIDATE, KEY_PATTERN, SHORTEST_KEY_CHARACTERS
from opencode_mcp.secrets.own_passwords import MARK, SHORTEST_CHARACTERS
from opencode_mcp.secrets.secret_names import is_password, is_plainly_secret, is_secret_parameter

PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?"
    r"(?:-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)"
)
KEY_END = re.compile(r"-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
KEY_LINES = ascii_letters + digits + "+/=\\\r\n"
LONGEST_KEY_CHARACTERS = 16_384
SCHEME = re.compile(r"\b(?:basic|bearer)\s{1,8}([\w.~+/=-]{12,})", re.IGNORECASE)
WEB_HOOK = re.compile(r"\bhooks\.slack\.com/(?:services|workflows)/([\w/]{20,200})")
USER = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://([^\s/@\"'<>`]{1,256})@")
LOGIN = re.compile(r"(?<!\S)(?:-u|--user|--proxy-user)[ =]{1,4}[\"']?[^\s:\"']{1,64}:([^\s\"']{1,128})")
NAME = re.compile(
    r"""(?:(?<![\w.\\-])|(?<=\\[nrt]))(?P<name>[\w.-]{1,80})(?:\\?["'])?(?P<given>[ \t]{0,3}(?:=>|:=|[:=])[ \t]{0,3})"""
    r"""|(?<!\S)(?P<flag>--?[A-Za-z][\w-]{1,60})[ \t]{1,4}(?=[^\s-])"""
)
"""Name and separator of a value: ``=``, ``:``, or a space after an option."""
VALUE = re.compile(
    r"""(?P<quote>\\?["'`])(?P<quoted>[^"'`\r\n]{1,4096})"""
    r"""|(?:(?:basic|bearer|digest|token)[ ]{1,4})?(?P<bare>[^\s"'`&;,:=(){}\[\]<>|]{1,4096})""",
    re.IGNORECASE,
)
SCHEMES = frozenset({"basic", "bearer", "digest", "token"})
REST = re.compile(r"""[^\s"'`&;,<>)\]}]*""")
"""Rest of an unquoted value after its first ``=`` or ``:``."""
LONGEST_COOKIES_CHARACTERS = 4096
COOKIES = re.compile(rf"[^\"'`\r\n]{{1,{LONGEST_COOKIES_CHARACTERS}}}")
PLACEHOLDER = re.compile(r"[$%<{*].*|\[hidden.*|(.)\1*\.{0,3}", re.DOTALL)
"""Placeholder of a value: ``$TOKEN``, ``<token>``, ``xxxx``."""
MEMBER = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
"""Code that reads a value: ``process.env.TOKEN``."""
FILE = re.compile(r"(?:\.{0,2}|~|[A-Za-z]:)[/\\].*|.*\.[A-Za-z]{1,5}\d?", re.DOTALL)
SYMBOLS = frozenset("!#$%^*+=@~")
SHORT_WORD = re.compile(rf"[\w./-]{{1,{SHORTEST_KEY_CHARACTERS - 1}}}")
"""Text in which no pattern can find anything, such as the name of a field or a file: it is shorter than any key, and a
name with its value has a blank, ``=`` or ``:`` between them."""
VALUE_CHARACTERS = 6
"""Shortest value that is hidden, in characters."""
BARE_VALUE_CHARACTERS = 8
"""Shortest value that is hidden if only its name distinguishes it from a word, in characters."""
LOGIN_CHARACTERS = 20
"""Shortest user name in a URL that may be a token, in characters."""


def redacted_text(text: str, known: Collection[str] = (), *, strict: bool = False) -> str:
    """Return a text with marks in place of its secrets.

    Args:
        text: Any text of a person or a program.
        known: Secrets to hide everywhere; those shorter than six characters are ignored.
        strict: Hide every value with a secret's name, even if it looks like a word or like code.
    """
    for secret in sorted(known, key=len, reverse=True):
        if len(secret) >= SHORTEST_CHARACTERS:
            text = text.replace(secret, MARK)
    # Most texts are one.
    if SHORT_WORD.fullmatch(text):
        return text
    text = _without_private_keys(text)
    text = CANDIDATE.sub(lambda run: KEY_PATTERN.sub(MARK, run[0]), text)
    text = _with_marks(USER, text, _is_login)
    text = _with_marks(LOGIN, text, _looks_random)
    text = _with_marks(SCHEME, text, _looks_random)
    text = _with_marks(WEB_HOOK, text, _looks_random)
    return _without_values(text, strict=strict)


def _with_marks(pattern: re.Pattern[str], text: str, is_one: Callable[[str], bool]) -> str:
    """Replace the first group of a pattern by a mark wherever it is a secret."""

    def marked(found: re.Match[str]) -> str:
        if not is_one(found[1]):
            return found[0]
        return text[found.start() : found.start(1)] + MARK + text[found.end(1) : found.end()]

    return pattern.sub(marked, text)


def _without_private_keys(text: str) -> str:
    if "PRIVATE KEY" not in text:
        return text
    text = PRIVATE_KEY.sub(MARK, text)
    # The end of a key whose beginning is cut off.
    kept: list[str] = []
    at = 0
    for end in KEY_END.finditer(text):
        lines = text[max(at, end.start() - LONGEST_KEY_CHARACTERS) : end.start()]
        begin = end.start() - len(lines) + len(lines.rstrip(KEY_LINES))
        kept += [text[at:begin], MARK]
        at = end.end()
    return "".join([*kept, text[at:]])


def _is_login(login: str) -> bool:
    """Return True if the part of a URL before the host is a password or a token, not just a user name."""
    return ":" in login or (len(login) >= LOGIN_CHARACTERS and _looks_random(login))


def _without_values(text: str, *, strict: bool) -> str:
    kept: list[str] = []
    at = looked = 0
    for name_match in NAME.finditer(text):
        if name_match.start() < at or not is_secret_parameter(name_match["name"] or name_match["flag"]):
            continue
        if _is_cookie_header(name_match):
            # The text that was checked for an earlier header contains no secret.
            if name_match.start() < looked:
                continue
            place, looked = _place_of_cookies(text, name_match)
        else:
            place = _place_of_value(text, name_match, strict=strict)
        if place:
            kept += [text[at : place[0]], MARK]
            at = place[1]
    return "".join([*kept, text[at:]])


def _is_cookie_header(name_match: re.Match[str]) -> bool:
    return bool(name_match["name"]) and name_match["name"].lower().endswith("cookie") and ":" in name_match["given"]


def _place_of_cookies(text: str, name_match: re.Match[str]) -> tuple[tuple[int, int] | None, int]:
    """Return the position of the cookies of a header if they are secret, and where the search continues."""
    if VALUE.match(text, name_match.end()) is None:
        return None, 0
    cookies = COOKIES.match(text, name_match.end())
    if cookies is None:
        return None, 0
    if _looks_random("".join(cookies[0].split())):
        return cookies.span(), 0
    # If they were cut, the cookies in the second half are checked by themselves, since they continue.
    is_cut = len(cookies[0]) == LONGEST_COOKIES_CHARACTERS
    return None, cookies.end() - (LONGEST_COOKIES_CHARACTERS // 2 if is_cut else 0)


def _place_of_value(text: str, name_match: re.Match[str], *, strict: bool) -> tuple[int, int] | None:
    """Return the position of the secret that is assigned to a name."""
    value = VALUE.match(text, name_match.end())
    if value is None:
        return None
    start, end = value.span("quoted" if value["quote"] else "bare")
    found = text[start:end].rstrip("\\")
    if found.lower() in SCHEMES:
        # The text after it is hidden already.
        return None
    if not (strict or _is_given(text, name_match, found, value)):
        return None
    return (start, start + len(found)) if value["quote"] else (start, _end_of(text, end))


def _end_of(text: str, end: int) -> int:
    rest = REST.match(text, end)
    return rest.end() if rest else end


def _is_given(text: str, name_match: re.Match[str], value: str, place: re.Match[str]) -> bool:
    """Return True if a value is a secret, and not a word, a number, a file, code or a placeholder."""
    if len(value) < VALUE_CHARACTERS or PLACEHOLDER.fullmatch(value):
        return False
    return _is_secret_of(name_match["name"] or name_match["flag"], text, name_match, value, place)


def _is_secret_of(name: str, text: str, name_match: re.Match[str], value: str, place: re.Match[str]) -> bool:
    if _is_in_url(text, name_match) or _is_in_shell(name_match):
        return _is_secret_parameter(name, value)
    if not is_plainly_secret(name):
        return False
    if place["quote"]:
        return is_password(name) or _looks_random(value)
    return _is_bare_secret(name, value) and not _is_code(text, value, place)


def _is_code(text: str, value: str, place: re.Match[str]) -> bool:
    return MEMBER.fullmatch(value) is not None or text[place.end() : place.end() + 1] in {"(", "["}


def _is_bare_secret(name: str, value: str) -> bool:
    least = VALUE_CHARACTERS if is_password(name) else BARE_VALUE_CHARACTERS
    return len(value) >= least and _looks_random(value)


def _is_secret_parameter(name: str, value: str) -> bool:
    return _looks_random(unquote(value)) or (is_plainly_secret(name) and not _is_word_or_number(value))


def _is_in_url(text: str, name_match: re.Match[str]) -> bool:
    return name_match["given"] == "=" and text[max(name_match.start() - 1, 0) : name_match.start()] in {"?", "&"}


def _is_in_shell(name_match: re.Match[str]) -> bool:
    """Return True if a value is assigned as in a shell: to an option with ``=``, or to a variable in capitals."""
    return name_match["given"] == "=" and (name_match["name"].startswith("-") or name_match["name"].isupper())


def _is_word_or_number(value: str) -> bool:
    return value.isdecimal() or value.lower() in {"false", "none", "null", "required", "true", "undefined"}


def _looks_random(value: str) -> bool:
    """Return True if no person would write such a text: letters with digits, or capitals and symbols inside."""
    if FILE.fullmatch(value) or any(map(str.isspace, value)):
        return False
    has_letter = any(map(str.isalpha, value))
    has_digit = any(map(str.isdecimal, value))
    inside = value[1:]
    mixed = inside != inside.lower() and inside != inside.upper() and not SYMBOLS.isdisjoint(value)
    return has_letter and (has_digit or mixed)
