"""A mapping with a limit, for what the bridge remembers about things that OpenCode has: sessions, requests, runs.

Pure. Such a memory is only a cache, so the oldest entry may be dropped; a memory without a limit would grow for as long
as the bridge runs.
"""

from collections.abc import Iterator, MutableMapping
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class BoundedDict(MutableMapping[Key, Value]):
    """A dictionary that drops the entry which was set least recently when it holds more than its limit.

    Reading an entry does not make it more recent; setting it again does.

    Args:
        limit: The greatest number of entries, at least 1.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: dict[Key, Value] = {}

    def __getitem__(self, key: Key) -> Value:
        return self._items[key]

    def __setitem__(self, key: Key, value: Value) -> None:
        self._items.pop(key, None)
        self._items[key] = value
        if len(self._items) > self._limit:
            del self._items[next(iter(self._items))]

    def __delitem__(self, key: Key) -> None:
        del self._items[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)
