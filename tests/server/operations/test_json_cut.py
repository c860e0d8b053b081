"""A value is cut to a size, what was left out is said, and all of it can be read piece by piece."""

from typing import TYPE_CHECKING, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from opencode_mcp.server.operations.json_cut import Cut, cut_json, size
from opencode_mcp.server.operations.json_select import select_json

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
        for item in items:
            joined.append(item if f"[{len(joined)}]" not in cut_texts else value[len(joined)])
    assert joined == value


@given(st.text(max_size=3000), st.integers(400, 1000))
@settings(deadline=None)
def test_the_pieces_of_a_text_joined_are_the_whole(value: str, limit: int) -> None:
    joined = ""
    while True:
        page = cut_json(value, limit, select="text", offset=len(joined))
        piece = cast("str", page.value)
        if not page.cuts:
            assert joined + piece == value
            return
        joined += piece.removesuffix("…")


@given(JSON)
@settings(deadline=None)
def test_every_cut_names_a_place_that_can_be_read(value: object) -> None:
    for cut in cut_json(value, 400).cuts:
        part = select_json(value, cut.at)
        assert type(part) in {str, list, dict}
        assert cut.of == len(cast("str", part))
        cut_json(part, 400, select=cut.at, offset=cut.shown)


def test_a_part_of_what_was_selected_is_named_by_the_whole_expression() -> None:
    rows = [{"parts": ["x" * 900]}, {"parts": ["y" * 900]}]
    (first, second) = cut_json([row["parts"] for row in rows], 600, select="[].[parts] | []").cuts
    assert first.at == "[].[parts] | [] | [0][0]"
    assert [select_json(rows, cut.at) for cut in (first, second)] == ["x" * 900, "y" * 900]


def test_parts_after_an_offset_are_named_by_their_place_in_the_whole() -> None:
    (cut,) = cut_json(["a", "b", "x" * 900], 400, offset=1).cuts
    assert cut.at == "[2]"


def test_small_parts_stay_whole_beside_a_large_one() -> None:
    shown = cut_json({"id": "abc", "text": "x" * 5000, "last": [1, 2]}, 1000)
    value = cast("Mapping[str, object]", shown.value)
    assert (value["id"], value["last"]) == ("abc", [1, 2])
    assert [cut.at for cut in shown.cuts] == ["text"]


def test_a_list_shows_its_first_items() -> None:
    shown = cut_json(list(range(1000)), 400)
    items = cast("list[int]", shown.value)
    assert items == list(range(len(items)))
    assert shown.cuts == [Cut("", len(items), 1000)]


def test_a_name_that_needs_quotes_has_them() -> None:
    value = {'a "b"/ü': {"c-d": [1, "x" * 900]}}
    (cut,) = cut_json(value, 400).cuts
    assert cut.at == '"a \\"b\\"/ü"."c-d"[1]'
    assert select_json(value, cut.at) == "x" * 900
