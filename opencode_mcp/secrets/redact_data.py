"""Replacement of secrets in JSON data from OpenCode by a mark.

Pure, without knowledge of operations. A value is hidden if its name marks a secret (``secret_names.py``), if it is in
a place made for secrets (headers, environments, a provider's options), if the caller knows it as a secret, or if it is
a secret inside a text (``redact_text.py``).
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import cast

from opencode_mcp.secrets import redact_text
from opencode_mcp.secrets.own_passwords import MARK
from opencode_mcp.secrets.secret_names import is_secret, plain_name

SECRET_MAPS = re.compile("env|environment|headers")
"""Maps in which every text is hidden: people choose any name for headers and variables."""
OPTIONS = re.compile("options|settings")
"""Maps of a provider, a model or an agent whose names packages choose: those of OpenCode 1 and those of OpenCode 2."""
HARMLESS_OPTIONS = re.compile(
    "apiversion|baseurl|effort|location|mode|project|reasoningeffort|reasoningsummary|region|resourcename|servicetier|"
    "textverbosity|type"
)
"""Texts that are kept among ``OPTIONS``; packages choose any name for their secrets."""
COMMANDS = re.compile("args|command")
SCHEMA_WORDS = frozenset({"$ref", "anyOf", "const", "description", "enum", "type"})
"""Keywords that show that a map under a secret's name is a schema of the secret, not the secret."""
ASSIGNMENT = re.compile(r"(--?)?([\w-]{1,200})=(.*)", re.DOTALL)


RENAMED: Mapping[str, Mapping[str, str]] = {
    "request": {"body": "options"},
    "fields": {"key": "name"},
    "when": {"key": "name"},
}
"""Names of OpenCode 2 for fields that have another meaning or name elsewhere, by the map or list that contains them.

The fields of a form have keys, by which they are answered.
"""
PAIR = frozenset({"key", "value"})
"""Fields of a map that is one entry of a map: the key is a name, and decides about the value."""


def redacted_data(value: object, known: Collection[str] = ()) -> object:
    """Return a copy of a JSON value with a mark in place of each secret.

    Args:
        value: A value that OpenCode sent.
        known: Secrets to hide everywhere, also in the middle of a text.
    """
    return _redacted(value, "", tuple(known))


def secrets_in(value: object, name: str = "") -> set[str]:
    """Return the texts that ``redacted_data`` hides because of their names and places."""
    return {text for text, shown in _pairs(value, _redacted(value, name, ())) if text != shown == MARK}


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


def _redacted(value: object, name: str, known: Sequence[str]) -> object:
    """Copy a value that has a name."""
    match value:
        case str():
            return MARK if value and is_secret(name) else redact_text.redacted_text(value, known)
        case Mapping():
            return _redacted_map(cast("Mapping[str, object]", value), name, known)
        case list():
            return _redacted_list(cast("list[object]", value), name, known)
        case _:
            return value


def _redacted_list(items: Sequence[object], name: str, known: Sequence[str]) -> list[object]:
    plain = plain_name(name)
    if COMMANDS.fullmatch(plain):
        return [redact_text.redacted_text(item, known) if isinstance(item, str) else item for item in _command(items)]
    if plain == "plugin":
        return [_plugin(item, known) for item in items]
    # A list of options belongs to a question.
    inner = "" if plain == "options" else name
    return [_redacted(item, inner, known) for item in items]


def _redacted_map(value: Mapping[str, object], name: str, known: Sequence[str]) -> dict[str, object]:
    if _is_secret_map(value, name):
        return {key: _all_redacted(item) for key, item in value.items()}
    if not value.keys() ^ PAIR and isinstance(value["key"], str):
        return {
            "key": redact_text.redacted_text(value["key"], known),
            "value": _redacted(value["value"], value["key"], known),
        }
    plain = plain_name(name)
    if OPTIONS.fullmatch(plain):
        return {key: _option(item, key, known) for key, item in value.items()}
    names = RENAMED.get(plain, {})
    return {key: _redacted(item, names.get(str(key), str(key)), known) for key, item in value.items()}


def _is_secret_map(value: Mapping[str, object], name: str) -> bool:
    """Return True if every text in a map is hidden; a schema of a secret is none."""
    is_schema = bool(SCHEMA_WORDS & value.keys())
    return bool(SECRET_MAPS.fullmatch(plain_name(name))) or (is_secret(name) and not is_schema)


def _all_redacted(value: object) -> object:
    match value:
        case str():
            return MARK if value else value
        case Mapping():
            return {key: _all_redacted(item) for key, item in cast("Mapping[str, object]", value).items()}
        case list():
            return [_all_redacted(item) for item in cast("list[object]", value)]
        case _:
            return value


def _option(value: object, name: str, known: Sequence[str]) -> object:
    harmless = isinstance(value, str) and HARMLESS_OPTIONS.fullmatch(plain_name(name)) is not None
    return _redacted(value, name, known) if harmless else _all_redacted(value)


def _plugin(item: object, known: Sequence[str]) -> object:
    """Hide the options of a plugin: its entry is a list of its name and its options."""
    if not isinstance(item, list):
        return _redacted(item, "", known)
    return [_redacted(part, "options", known) for part in cast("list[object]", item)]


def _command(items: Sequence[object]) -> Iterator[object]:
    """Hide the value of each option and variable on a command line whose name marks a secret."""
    flag = ""
    for item in items:
        yield MARK if is_secret(flag) else _without_value(item)
        is_flag = isinstance(item, str) and item.startswith("-") and not ASSIGNMENT.fullmatch(item)
        flag = str(item).lstrip("-") if is_flag else ""


def _without_value(item: object) -> object:
    found = ASSIGNMENT.fullmatch(item) if isinstance(item, str) else None
    if found is None or not is_secret(found[2]):
        return item
    return f"{found[1] or ''}{found[2]}={MARK}"
