"""Changes of replies and events that make them those of a later OpenCode 2. Pure; the seed decides all of it."""

import json
from collections.abc import Sequence
from random import Random
from typing import Any, Literal, cast

from tests.harness.opencode2.newer.contract import (
    KEPT_EVENTS,
    LOOSE,
    LOOSE_IN_EVENTS,
    MAPS,
    OPAQUE,
    OPEN_LISTS,
    VALUES,
)

Json = dict[str, Any]
Fate = Literal["keep", "drop", "rename"]
LATER = "later"
"""Begins the name of everything that is new."""
UNKNOWN: Sequence[object] = (
    None,
    True,
    -1.5,
    "a text",
    list[object](),
    dict[str, object](),
    [{"type": LATER, "id": LATER}],
    {"type": LATER, "data": {"sessionID": "ses_later", LATER: [None, {LATER: 1}]}},
)
"""Values of new fields."""
CHANGED = 0.25
"""Share of the optional fields, and of the known words, that a release changes."""
RENAMED_EVENTS = 0.1
"""Share of the types of events that a release renames."""
INSERTED = 0.3
"""Share of the places in a list with new types of entries that have one."""


class Release:
    """A later OpenCode 2.

    Args:
        seed: Decides what it changes: the same in every reply.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def reply(self, path: str, value: object) -> object:
        """Change the reply to a request."""
        change = _Change(self, LOOSE, self._open_lists(path))
        if path in MAPS and isinstance(value, dict):
            entries = cast("Json", cast("Json", value)["data"])
            return {**cast("Json", value), "data": {name: change.value(item) for name, item in entries.items()}}
        return change.value(value)

    def line(self, line: str) -> list[str]:
        """Change a line of the event stream; an event comes with unknown ones before it."""
        if not line.startswith("data:"):
            return [line]
        event = cast("Json", json.loads(line.removeprefix("data:")))
        changed = cast("Json", _Change(self, LOOSE_IN_EVENTS, ()).value(event))
        changed["type"] = self._event_type(str(event["type"]))
        session = cast("Json", event.get("data") or {}).get("sessionID")
        unknown = {"type": f"session.{LATER}", "data": {"sessionID": session, LATER: self.pick(UNKNOWN, line)}}
        events = [changed] if event["type"] in KEPT_EVENTS else [unknown, changed]
        return [text for item in events for text in (f"data: {json.dumps(item)}", "")][:-1]

    def fate(self, name: str) -> Fate:
        """Return what becomes of an optional field."""
        dice = self._dice(f"field {name}")
        if dice.random() >= CHANGED:
            return "keep"
        return dice.choice(("drop", "rename"))

    def word(self, name: str, value: str) -> str:
        """Return a value for an enumerated field, which may be a value that is not yet known."""
        changes = value and self._dice(f"word {name} {value}").random() < CHANGED
        return f"{LATER}-{value}" if changes else value

    def pick(self, values: Sequence[object], where: str) -> object:
        """Choose a value for a place."""
        return self._dice(where).choice(values)

    def inserts(self, where: str) -> bool:
        """Return True if there is an entry of a new type at a place."""
        return self._dice(where).random() < INSERTED

    def _event_type(self, kind: str) -> str:
        renames = kind not in KEPT_EVENTS and self._dice(f"event {kind}").random() < RENAMED_EVENTS
        return f"{kind}.{LATER}" if renames else kind

    def _open_lists(self, path: str) -> tuple[str, ...]:
        return next((names for end, names in OPEN_LISTS.items() if path.endswith(end)), ())

    def _dice(self, what: str) -> Random:
        return Random(f"{self._seed} {what}")  # noqa: S311 - chooses changes, guards nothing


class _Change:
    """Change of one reply or event."""

    def __init__(self, release: Release, loose: frozenset[str], open_lists: Sequence[str]) -> None:
        self._release = release
        self._loose = loose
        self._open_lists = open_lists

    def value(self, value: object, name: str = "") -> object:
        """Change a value with everything in it."""
        if name in OPAQUE:
            return value
        if isinstance(value, dict):
            return self._object(cast("Json", value))
        if isinstance(value, list):
            return self._list(cast("list[object]", value), name)
        return self._release.word(name, value) if name in VALUES and isinstance(value, str) else value

    def _object(self, fields: Json) -> Json:
        changed: Json = {LATER: self._release.pick(UNKNOWN, str(sorted(fields)))}
        for name, item in fields.items():
            fate = self._release.fate(name) if name in self._loose else "keep"
            if fate != "drop":
                changed[f"{LATER}_{name}" if fate == "rename" else name] = self.value(item, name)
        return changed

    def _list(self, items: list[object], name: str) -> list[object]:
        changed: list[object] = []
        for number, item in enumerate(items):
            if name in self._open_lists and self._release.inserts(f"{name} {number} of {len(items)}"):
                changed.append(self._entry(f"{name}{number}"))
            changed.append(self.value(item))
        return changed

    def _entry(self, key: str) -> Json:
        time = {"created": 1, "completed": 2}
        return {"type": f"{LATER}-type", "id": f"{LATER}_{key}", "key": key, "time": time, "text": "Unknown."}
