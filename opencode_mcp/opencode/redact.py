"""Secrets in what OpenCode says are replaced by a mark that says so.

Pure. It knows by which names secrets go and what they look like, and nothing of operations: a value is hidden where
its name gives it away, where it stands in a place that is made for secrets (headers, environments, a provider's
options), where it looks like a well-known kind of key, and where it is a secret that the caller knows of.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import cast
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

MARK = "[hidden: a secret]"
SHORTEST_KNOWN = 6
"""A known secret shorter than this would take innocent words with it."""

WORDS = re.compile(
    "apikey|authorization|bearer|cookies?|credentials?|jwt|passphrase|passwd|password|pwd|secrets?|ticket|token"
)
"""A name that holds one of these words is a secret's: ``authToken``, ``set-cookie``, ``OPENAI_TOKEN``."""
NAMES = re.compile("access|auth|key|oauthstate|refresh")
KINDS_OF_KEY = re.compile("access|api|app|encryption|license|private|secret|service|signing")
"""``apiKey``, ``secretAccessKey``; a plain ``sortKey`` is none."""
ABOUT_A_SECRET = re.compile("endpoint|id|name|type|ur[il]")
"""A name that ends so is of something else: ``authorizationUrl``, ``credentialID``, ``token_type``."""
SECRET_MAPS = re.compile("env|environment|headers")
"""Every text in a map of such a name is hidden: people give their headers and variables any name."""
HARMLESS_OPTIONS = re.compile(
    "apiversion|baseurl|effort|location|mode|project|reasoningeffort|reasoningsummary|region|resourcename|servicetier|"
    "textverbosity|type"
)
"""The only texts that stay among a provider's ``options``: packages name their secrets as they like."""
COMMANDS = re.compile("args|command")
SCHEMA_WORDS = frozenset({"$ref", "anyOf", "const", "description", "enum", "type"})
"""A map with one of these under a secret's name describes the secret and is none."""

LOOKS = re.compile(
    r"\b(?:"
    r"(?:sk|pk|rk)-(?=[\w-]*\d)[\w-]{16,}|gh[oprsu]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,}"
    r"|AKIA[0-9A-Z]{16}|AIza[\w-]{30,}|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+"
    r")|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
)
SCHEMES = re.compile(r"\b(bearer|basic)\s+(?=[\w.~+/=-]*\d)[\w.~+/=-]{12,}", re.IGNORECASE)
URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
ASSIGNMENT = re.compile(r"(--?)?([\w-]+)=(.*)", re.DOTALL)


def redact(value: object, known: Collection[str] = ()) -> object:
    """Copy a JSON value with a mark in place of each secret.

    Args:
        value: What OpenCode answered.
        known: Secrets to hide wherever they stand, in the middle of a text too.
    """
    return _hidden(value, "", tuple(text for text in known if len(text) >= SHORTEST_KNOWN))


def scrub(text: str, known: Collection[str] = ()) -> str:
    """Put marks into a text: for what looks like a key, and for secrets that are known."""
    for secret in sorted(known, key=len, reverse=True):
        if len(secret) >= SHORTEST_KNOWN:
            text = text.replace(secret, MARK)
    return SCHEMES.sub(rf"\1 {MARK}", LOOKS.sub(MARK, text))


def secrets_in(value: object, name: str = "") -> set[str]:
    """Collect the texts that ``redact`` hides by their names and places: what must not be told again."""
    return {text for text, shown in _pairs(value, _hidden(value, name, ())) if text != shown == MARK}


def _pairs(value: object, shown: object) -> Iterator[tuple[str, object]]:
    match value, shown:
        case str(), _:
            yield value, shown
        case Mapping(), Mapping():
            for key, item in cast("Mapping[object, object]", value).items():
                yield from _pairs(item, cast("Mapping[object, object]", shown)[key])
        case list(), list():
            for item, other in zip(cast("list[object]", value), cast("list[object]", shown), strict=True):
                yield from _pairs(item, other)
        case _:
            pass


def _hidden(value: object, name: str, known: Sequence[str]) -> object:
    """Copy a value that goes by a name."""
    match value:
        case str():
            return MARK if value and is_secret(name) else _text(value, known)
        case Mapping():
            return _hidden_map(cast("Mapping[str, object]", value), name, known)
        case list():
            items = cast("list[object]", value)
            if COMMANDS.fullmatch(_plain(name)):
                return [_text(str(item), known) if isinstance(item, str) else item for item in _command(items)]
            if _plain(name) == "plugin":
                return [_plugin(item, known) for item in items]
            # A list of options is what a question offers.
            inner = "" if _plain(name) == "options" else name
            return [_hidden(item, inner, known) for item in items]
        case _:
            return value


def _hidden_map(value: Mapping[str, object], name: str, known: Sequence[str]) -> dict[str, object]:
    plain = _plain(name)
    if SECRET_MAPS.fullmatch(plain) or (is_secret(name) and not SCHEMA_WORDS & value.keys()):
        return {key: _all_hidden(item) for key, item in value.items()}
    if plain == "options":
        return {key: _option(item, key, known) for key, item in value.items()}
    return {key: _hidden(item, str(key), known) for key, item in value.items()}


def _all_hidden(value: object) -> object:
    match value:
        case str():
            return MARK if value else value
        case Mapping():
            return {key: _all_hidden(item) for key, item in cast("Mapping[str, object]", value).items()}
        case list():
            return [_all_hidden(item) for item in cast("list[object]", value)]
        case _:
            return value


def _option(value: object, name: str, known: Sequence[str]) -> object:
    harmless = isinstance(value, str) and HARMLESS_OPTIONS.fullmatch(_plain(name)) is not None
    return _hidden(value, name, known) if harmless else _all_hidden(value)


def _plugin(item: object, known: Sequence[str]) -> object:
    """Hide what a plugin is configured with: it stands in a list, as its name and then its options."""
    if not isinstance(item, list):
        return _hidden(item, "", known)
    return [_hidden(part, "options", known) for part in cast("list[object]", item)]


def _command(items: Sequence[object]) -> Iterator[object]:
    """Hide what a command line gives to an option or a variable that goes by a secret's name."""
    flag = ""
    for item in items:
        text = item if isinstance(item, str) else ""
        said = ASSIGNMENT.fullmatch(text)
        if is_secret(flag):
            yield MARK
        elif said and is_secret(said[2]):
            yield f"{said[1] or ''}{said[2]}={MARK}"
        else:
            yield item
        flag = text.lstrip("-") if text.startswith("-") and not said else ""


def _text(value: str, known: Sequence[str]) -> str:
    return scrub(_url(value) if URL.fullmatch(value) else value, known)


def _url(value: str) -> str:
    """Take the password and the keys out of an address, and leave one without any as it is."""
    try:
        parts = urlsplit(value)
        query = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return MARK
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{MARK}@{host}" if "@" in parts.netloc else parts.netloc
    if any(is_secret(name) for name, _ in query):
        query = [(name, MARK if is_secret(name) else text) for name, text in query]
        return urlunsplit(parts._replace(netloc=netloc, query=urlencode(query, safe="[]: ", quote_via=quote)))
    return value if netloc == parts.netloc else urlunsplit(parts._replace(netloc=netloc))


def is_secret(name: str) -> bool:
    """Whether what goes by a name is a secret, as ``apiKey``, ``X-Auth-Token`` and ``client_secret`` say."""
    words = _words(name)
    if words and ABOUT_A_SECRET.fullmatch(words[-1]):
        return False
    key = any(word == "key" and KINDS_OF_KEY.fullmatch(before) for before, word in pairwise(words))
    return key or NAMES.fullmatch("".join(words)) is not None or any(map(WORDS.fullmatch, words))


def _words(name: str) -> list[str]:
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return re.findall(r"[a-z0-9]+", apart.lower())


def _plain(name: str) -> str:
    return "".join(_words(name))
