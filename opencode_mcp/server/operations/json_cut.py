"""Cut a JSON value to a size, and name every place where something was left out.

Pure. A JMESPath expression names any part of a value. A list, a map or a text that is still too long is read from an
offset on. So every part can be read.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import cast

SHARE = 8
"""A part gets an eighth of the room before parts after it are left out as a whole."""
UNCUT_CHARACTERS = 200
"""Characters below which a part is not cut, if possible."""
PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""Name that JMESPath takes without quotes."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Place where something was left out."""

    at: str
    """JMESPath expression for the list, map or text; empty: the whole."""
    shown: int
    """Number of shown items or characters."""
    of: int
    """Number of all items or characters from the offset on."""


@dataclass(slots=True)
class CutJson:
    """JSON value that fits its limit, and the places where it was cut."""

    value: object
    cuts: list[Cut] = field(default_factory=list[Cut])


def size(value: object) -> int:
    """Count the characters of a value as compact JSON."""
    return len(compact(value))


def compact(value: object) -> str:
    """Write a value as JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def cut_json(value: object, limit: int, *, select: str = "", offset: int = 0) -> CutJson:
    """Cut a value.

    Args:
        value: Any JSON value.
        limit: Approximate limit of the characters of its JSON.
        select: Expression that selected the value; the expressions for its parts begin with it.
        offset: Number of items or characters to skip at the beginning of it.
    """
    found = CutJson(None)
    found.value = _fit(_rest(value, offset), limit, _Place(select, first=offset), found.cuts)
    return found


@dataclass(frozen=True, slots=True)
class _Place:
    """Place of a part in a reply."""

    select: str
    """Expression that selected the value that is cut."""
    path: str = ""
    """Path from there."""
    first: int = 0
    """Number of the first item, if it is a list."""

    def __str__(self) -> str:
        # A pipe ends a projection: ``[].parts | [0]`` is one list of parts, ``[].parts[0]`` the first part of each.
        return " | ".join(filter(None, [self.select, self.path]))

    def field(self, name: str) -> "_Place":
        shown = name if PLAIN_NAME.fullmatch(name) else json.dumps(name, ensure_ascii=False)
        return _Place(self.select, f"{self.path}.{shown}" if self.path else shown)

    def item(self, name: str) -> "_Place":
        return _Place(self.select, f"{self.path}[{int(name) + self.first}]")


def _parts(value: object) -> Mapping[str, object]:
    if isinstance(value, Mapping):
        return cast("Mapping[str, object]", value)
    items = cast("list[object]", value) if isinstance(value, list) else []
    return {str(number): item for number, item in enumerate(items)}


def _rest(value: object, offset: int) -> object:
    match value:
        case str() | list():
            return cast("object", value[offset:])
        case Mapping():
            return dict(islice(cast("Mapping[str, object]", value).items(), offset, None))
        case _:
            return value


def _fit(value: object, limit: int, at: _Place, cuts: list[Cut]) -> object:
    whole = size(value)
    if whole <= limit:
        return value
    match value:
        case str():
            # Assumes that escapes are spread evenly over the text.
            shown = max((limit - len('"…"')) * len(value) // whole, 0)
            cuts.append(Cut(str(at), shown, len(value)))
            return value[:shown] + "…"
        case Mapping() | list():
            return _fit_parts(cast("Mapping[str, object] | list[object]", value), limit, at, cuts)
        case _:
            return value


def _fit_parts(
    value: Mapping[str, object] | list[object], limit: int, at: _Place, cuts: list[Cut]
) -> dict[str, object] | list[object]:
    """Show as many parts as fit if each gets an eighth of the room; large parts get what small ones do not need."""
    parts = _parts(value)
    names = isinstance(value, Mapping)
    sizes = {name: size(part) for name, part in parts.items()}
    taken = _names_with_room(sizes, limit, named=names)
    if len(taken) < len(parts):
        cuts.append(Cut(str(at), len(taken), len(parts)))
    room = limit - 2 - sum(_marks(name, named=names) for name in taken)
    shares = dict(_shares({name: sizes[name] for name in taken}, room))
    shown = {name: _fit(parts[name], shares[name], at.field(name) if names else at.item(name), cuts) for name in taken}
    return shown if names else list(shown.values())


def _names_with_room(sizes: Mapping[str, int], limit: int, *, named: bool) -> list[str]:
    """Return the names of the first parts that have room; one in any case.

    Args:
        sizes: Size of each part, by name.
        limit: Characters for all of them.
        named: Whether the names are written, too.
    """
    taken: list[str] = []
    claimed = limit - 2
    for name, whole in sizes.items():
        claimed -= min(whole, max(limit // SHARE, UNCUT_CHARACTERS)) + _marks(name, named=named)
        if taken and claimed < 0:
            break
        taken.append(name)
    return taken


def _marks(name: str, *, named: bool) -> int:
    """Count the characters that a part takes beside its value."""
    return size(name) + 2 if named else 1


def _shares(sizes: Mapping[str, int], room: int) -> Iterator[tuple[str, int]]:
    """Yield the room for each part: its size, or an equal share of the remaining room."""
    for number, name in enumerate(sorted(sizes, key=lambda name: sizes[name])):
        share = min(sizes[name], max(room // (len(sizes) - number), 0))
        room -= share
        yield name, share
