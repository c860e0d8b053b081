"""Normalize OpenCode's answers, so that a recording is the same whenever and wherever it is made.

Pure, without knowledge of OpenCode: JSON in, JSON out. Ids, hashes, times, addresses and paths become plain names in
the order in which they occur; the scripts for the model are removed from the messages.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, cast

Json = Any
ID = re.compile(r"\b(ses|msg|prt|per|que|call)_[0-9A-Za-z]{16,}\b")
HASH = re.compile(r"\b[0-9a-f]{40}\b")
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
SCRIPT = re.compile(r"\n?SCRIPT: [^\n]*")
BEGIN = 1_767_225_600_000
"""The first time in a recording, the start of 2026, in milliseconds since the epoch."""
TICK = 1000
ENDS = ("completed", "end")
"""Times that lie after all others of the same object."""


class Normaliser:
    """Replaces every id by the same new name wherever it occurs.

    Args:
        places: Replacement for each path of this machine.
    """

    def __init__(self, places: Mapping[str, str]) -> None:
        # A path inside another must come first.
        self._places = sorted(places.items(), key=lambda item: -len(item[0]))
        self._names = defaultdict[str, dict[str, str]](dict)
        self._moment = BEGIN

    def __call__(self, value: Json) -> Json:
        """Normalize a value."""
        if isinstance(value, dict):
            return self._object(cast("dict[str, Json]", value))
        if isinstance(value, list):
            return [self(item) for item in cast("list[Json]", value)]
        return self._text(value) if isinstance(value, str) else value

    def _object(self, value: dict[str, Json]) -> Json:
        """Normalize an object: its beginning before its content, and its end afterwards."""
        begun = self._begin(value["time"]) if "time" in value else {}
        kept = {
            self._text(name): self._field(name, item) for name, item in value.items() if not _is_fleeting(name, item)
        }
        return kept | {"time": self._end(begun)} if begun else kept

    def _field(self, name: str, value: Json) -> Json:
        if name == "time":
            return None
        return self._name("call", value) if name == "callID" else self(value)

    def _begin(self, times: dict[str, Json]) -> dict[str, Json]:
        return {name: None if name in ENDS else self._tick() for name in times}

    def _end(self, times: dict[str, Json]) -> dict[str, Json]:
        return {name: self._tick() if moment is None else moment for name, moment in times.items()}

    def _tick(self) -> int:
        self._moment += TICK
        return self._moment

    def _text(self, text: str) -> str:
        for place, name in self._places:
            text = text.replace(place, name)
        text = ADDRESS.sub("http://model", SCRIPT.sub("", text))
        text = HASH.sub(lambda found: self._name("hash", found[0]), text)
        return ID.sub(lambda found: self._name(found[1], found[0]), text)

    def _name(self, kind: str, found: str) -> str:
        names = self._names[kind]
        return names.setdefault(found, f"{kind}_{len(names) + 1}")


def _is_fleeting(name: str, value: Json) -> bool:
    """Return True if a field depends on the moment: headers, and a prompt's diffs, which OpenCode adds at some time."""
    return name == "responseHeaders" or (name == "summary" and isinstance(value, dict))
