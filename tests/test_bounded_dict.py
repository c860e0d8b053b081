"""The mapping with a limit."""

import pytest

from opencode_mcp.bounded_dict import BoundedDict


def filled(limit: int, keys: str) -> BoundedDict[str, int]:
    """A mapping whose keys were set in this order."""
    mapping = BoundedDict[str, int](limit)
    for number, key in enumerate(keys):
        mapping[key] = number
    return mapping


def test_the_oldest_entry_is_dropped_when_a_new_one_exceeds_the_limit() -> None:
    assert dict(filled(3, "abcd")) == {"b": 1, "c": 2, "d": 3}


def test_setting_an_entry_again_makes_it_the_latest_and_drops_nothing() -> None:
    mapping = filled(3, "abca")
    assert list(mapping.items()) == [("b", 1), ("c", 2), ("a", 3)]
    mapping["d"] = 4
    assert list(mapping) == ["c", "a", "d"]


def test_reading_an_entry_does_not_keep_it() -> None:
    mapping = filled(2, "ab")
    assert mapping["a"] == 0
    assert mapping.get("a") == 0
    mapping["c"] = 2
    assert "a" not in mapping


def test_every_way_to_add_entries_keeps_to_the_limit() -> None:
    mapping = BoundedDict[str, int](2)
    mapping.update({"a": 1, "b": 2, "c": 3})
    assert mapping.setdefault("d", 4) == 4
    assert dict(mapping) == {"c": 3, "d": 4}
    assert mapping.setdefault("c", 9) == 3


def test_a_removed_entry_makes_room() -> None:
    mapping = filled(2, "ab")
    assert mapping.pop("a") == 0
    mapping["c"] = 2
    assert dict(mapping) == {"b": 1, "c": 2}
    with pytest.raises(KeyError):
        del mapping["a"]
    mapping.clear()
    assert len(mapping) == 0
