"""Changes of the principals in the text of a settings file, which keep everything else in it, comments included.

Only the forms of a table that this module writes itself are changed: a header on a line of its own, with its values
below. Each change is checked: the new text must mean the old one with exactly this change. A file that is written in
another form is refused and never damaged.
"""

import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opencode_mcp.errors import InvalidSetting

Tables = dict[str, Any]
HEADER = re.compile(r"\s*\[(?P<name>[^\[\]]+)\]\s*(#.*)?")


def add_principal(text: str, name: str, values: Mapping[str, object]) -> str:
    """Return the text with one more principal.

    Raises:
        InvalidSetting: There is one of this name, or the file has another form.
    """
    lines = [f"[principals.{name}]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
    above = f"{text.rstrip()}\n\n" if text.strip() else ""

    def change(tables: Tables) -> None:
        tables.setdefault("principals", {})[name] = dict(values)

    return _checked(text, above + "\n".join(lines) + "\n", change)


def remove_principal(text: str, name: str) -> str:
    """Return the text without a principal.

    Raises:
        InvalidSetting: The file has another form.
    """
    lines = text.splitlines(keepends=True)
    kept = "".join(line for line, of in zip(lines, _owners(lines), strict=True) if not _belongs(of, name))

    def change(tables: Tables) -> None:
        del tables["principals"][name]
        # Its header was perhaps the only one.
        if not tables["principals"]:
            del tables["principals"]

    return _checked(text, kept, change)


def set_value(text: str, name: str, key: str, value: object) -> str:
    """Return the text with another value of a principal's key, which it may not have had.

    Raises:
        InvalidSetting: The file has another form.
    """
    lines = text.splitlines(keepends=True)
    assignment = re.compile(rf"\s*{re.escape(key)}\s*=")
    new = f"{key} = {_toml(value)}\n"
    table = f"principals.{name}"
    owned = [number for number, owner in enumerate(_owners(lines)) if owner == table]
    assigned = [number for number in owned if assignment.match(lines[number])]
    changed = list(lines)
    if assigned:
        changed[assigned[0]] = new
    elif owned:
        # The header has it at least.
        changed.insert(owned[0] + 1, new)

    def change(tables: Tables) -> None:
        tables["principals"][name][key] = value

    return _checked(text, "".join(changed), change)


def principals_in(text: str) -> Mapping[str, object]:
    """Return the tables of the principals in a text that one of the functions above returned."""
    return tomllib.loads(text).get("principals", {})


def _owners(lines: Sequence[str]) -> list[str]:
    """Return for each line the name of the table that it belongs to, a header to its own."""
    owners: list[str] = []
    owner = ""
    for line in lines:
        if found := HEADER.fullmatch(line.rstrip("\n")):
            owner = found["name"].strip()
        owners.append(owner)
    return owners


def _belongs(table: str, name: str) -> bool:
    return table == f"principals.{name}" or table.startswith(f"principals.{name}.")


def _toml(value: object) -> str:
    # TOML writes texts, lists, numbers and truth values as JSON does.
    return json.dumps(value, ensure_ascii=False)


def _checked(before: str, after: str, change: Callable[[Tables], None]) -> str:
    """Return the new text, if it means the old one with a change."""
    try:
        expected = tomllib.loads(before)
        change(expected)
        if tomllib.loads(after) == expected:
            return after
    except (tomllib.TOMLDecodeError, KeyError, AttributeError, TypeError):
        pass
    raise InvalidSetting(
        "The settings file is written in a form that this command does not change.",
        hint="Give each principal a header of its own, as [principals.laptop], with its keys below, one in each line.",
    )
