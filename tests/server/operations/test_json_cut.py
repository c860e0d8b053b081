"""A value is cut to a size, what was left out is said, and all of it can be read piece by piece."""

from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.server.operations.json_cut import Cut, cut_json, size

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(st.text(max_size=8), inner, max_size=12),
    max_leaves=60,
)


@given(JSON, st.integers(400, 4000))
@settings(deadline=None)
def test_it_fits_and_says_when_something_was_left_out(value: object, limit: int) -> None:
    shown = cut_json(value, limit)
    assert size(shown.value) <= limit
    assert bool(shown.cuts) is (shown.value != value)


@given(st.lists(st.text(max_size=200), max_size=80), st.integers(400, 2000))
@settings(deadline=None)
def test_the_pages_of_a_list_joined_are_the_whole(value: list[str], limit: int) -> None:
    joined: list[object] = []
    while len(joined) < len(value):
        page = cut_json(value, limit, offset=len(joined))
        items = cast("list[object]", page.value)
        cut_texts = {cut.at for cut in page.cuts if cut.at}
        for number, item in enumerate(items):
            joined.append(item if f"/{number}" not in cut_texts else value[len(joined)])
    assert joined == value


@given(st.text(max_size=3000), st.integers(400, 1000))
@settings(deadline=None)
def test_the_pieces_of_a_text_joined_are_the_whole(value: str, limit: int) -> None:
    joined = ""
    while True:
        page = cut_json({"text": value}, limit, select="/text", offset=len(joined))
        piece = cast("str", page.value)
        if not page.cuts:
            assert joined + piece == value
            return
        joined += piece.removesuffix("…")


@given(JSON)
@settings(deadline=None)
def test_every_cut_names_a_place_that_can_be_read(value: object) -> None:
    for cut in cut_json(value, 400).cuts:
        cut_json(value, 400, select=cut.at, offset=cut.shown)


def test_small_parts_stay_whole_beside_a_large_one() -> None:
    shown = cut_json({"id": "abc", "text": "x" * 5000, "last": [1, 2]}, 1000)
    value = cast("Mapping[str, object]", shown.value)
    assert (value["id"], value["last"]) == ("abc", [1, 2])
    assert [cut.at for cut in shown.cuts] == ["/text"]


def test_a_list_shows_its_first_items() -> None:
    shown = cut_json(list(range(1000)), 400)
    items = cast("list[int]", shown.value)
    assert items == list(range(len(items)))
    assert shown.cuts == [Cut("", len(items), 1000)]


def test_a_part_is_named_by_its_pointer() -> None:
    assert cut_json({"a/b": {"c~d": [1, 2]}}, 100, select="/a~1b/c~0d/1").value == 2


@pytest.mark.parametrize(
    ("pointer", "said"),
    [
        ("/items/7", "The reply has no /items/7. /items has 0, 1."),
        ("/nothing", "The reply has no /nothing. It has items."),
        ("/items/0/deeper", "The reply has no /items/0/deeper. /items/0 has no parts."),
        ("items", "`select` is 'items'. It is a JSON Pointer, such as /items/0/text."),
    ],
)
def test_a_pointer_to_nothing_names_what_there_is(pointer: str, said: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        cut_json({"items": [1, 2]}, 100, select=pointer)
    assert str(caught.value) == said
