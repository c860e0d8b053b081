"""The outline of a reply names its fields, and stays short whatever the reply."""

from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.server.operations.json_outline import MOST_CHARACTERS, outline

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(st.text(max_size=300), inner, max_size=30),
    max_leaves=60,
)


def test_it_names_fields_and_counts_items() -> None:
    rows = [{"id": "a", "time": {"created": 1}}, {"id": "b", "parts": [{"type": "text"}], "tags": []}]
    assert outline(rows) == "[2 of {id, parts: [1 of {type}], tags, time: {created}}]"
    assert outline({"all": rows, "default": {}, "n": 1}) == (
        "{all: [2 of {id, parts: [1 of {type}], tags, time: {created}}], default, n}"
    )
    assert outline(["a", "b"]) == "[2 of text]"


def test_of_many_names_the_first_are_shown_and_the_rest_counted() -> None:
    assert outline({f"n{number:02}": 1 for number in range(20)}).endswith("n14, … 5 more}")


@given(JSON)
def test_it_is_one_short_line(value: object) -> None:
    text = outline(value)
    assert len(text) <= MOST_CHARACTERS
    assert "\n" not in text
