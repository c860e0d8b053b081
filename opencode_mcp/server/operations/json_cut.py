"""Cut a JSON value to a size, and name every place where something was left out.

Pure. A JSON Pointer (RFC 6901) names any part of a value. A list, a map or a text that is still too long is read from
an offset on. So every part can be read.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import cast

from opencode_mcp.errors import InvalidArgument

SHARE = 8
"""A part gets an eighth of the room before parts after it are left out as a whole."""
LEAST = 200
"""Characters below which a part is not cut, if possible."""
SHOWN_NAMES = 12


@dataclass(frozen=True, slots=True)
class Cut:
    """Place where something was left out."""

    at: str
    """JSON Pointer of the list, map or text."""
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
    """Cut a value, or a part of it.

    Args:
        value: Any JSON value.
        limit: Approximate limit of the characters of its JSON.
        select: JSON Pointer of the part that is wanted; empty: the whole.
        offset: Number of items or characters to skip at the beginning of that part.

    Raises:
        InvalidArgument: There is no such part; the hint names the existing ones.
    """
    part = _rest(_selected(value, select), offset)
    found = CutJson(None)
    found.value = _fit(part, limit, select, found.cuts)
    return found


def _selected(value: object, pointer: str) -> object:
    if pointer and not pointer.startswith("/"):
        raise InvalidArgument(f"`select` is {pointer!r}.", hint="It is a JSON Pointer, such as /items/0/text.")
    at = ""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        parts = _parts(value)
        if name not in parts:
            names = ", ".join(islice(parts, SHOWN_NAMES)) + (", …" if len(parts) > SHOWN_NAMES else "")
            raise InvalidArgument(f"The reply has no {at}/{step}.", hint=f"{at or 'It'} has {names or 'no parts'}.")
        value, at = parts[name], f"{at}/{step}"
    return value


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


def _fit(value: object, limit: int, at: str, cuts: list[Cut]) -> object:
    whole = size(value)
    if whole <= limit:
        return value
    match value:
        case str():
            # Assumes that escapes are spread evenly over the text.
            shown = max((limit - len('"…"')) * len(value) // whole, 0)
            cuts.append(Cut(at, shown, len(value)))
            return value[:shown] + "…"
        case Mapping() | list():
            return _fit_parts(cast("Mapping[str, object] | list[object]", value), limit, at, cuts)
        case _:
            return value


def _fit_parts(
    value: Mapping[str, object] | list[object], limit: int, at: str, cuts: list[Cut]
) -> dict[str, object] | list[object]:
    """Show as many parts as fit if each gets an eighth of the room; large parts get what small ones do not need."""
    parts = _parts(value)
    names = isinstance(value, Mapping)
    sizes = {name: size(part) for name, part in parts.items()}
    taken = _names_with_room(sizes, limit, named=names)
    if len(taken) < len(parts):
        cuts.append(Cut(at, len(taken), len(parts)))
    room = limit - 2 - sum(_marks(name, named=names) for name in taken)
    shares = dict(_shares({name: sizes[name] for name in taken}, room))
    shown = {name: _fit(parts[name], shares[name], f"{at}/{_escaped(name)}", cuts) for name in taken}
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
        claimed -= min(whole, max(limit // SHARE, LEAST)) + _marks(name, named=named)
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


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
