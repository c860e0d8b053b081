"""JSON is read only as far as the code behind it can handle: its depth and its numbers are limited."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.text.json_text import DEEPEST_LEVEL, read_json
from tests.harness.each import for_each
from tests.harness.effort import THOROUGH

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=200 if THOROUGH else 20,
)


def nested(opening: str, closing: str, levels: int) -> str:
    return opening * levels + "1" + closing * levels


@given(VALUES)
def test_a_value_comes_back_as_it_was(value: Any) -> None:  # noqa: ANN401 - any JSON value
    assert read_json(json.dumps(value)) == value
    assert read_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"]":', "}]"), ('{"\\"}":[', "]}")])
def test_a_value_may_be_nested_to_the_limit_and_no_deeper(opening: str, closing: str) -> None:
    levels = DEEPEST_LEVEL // (closing.count("]") + closing.count("}"))
    read_json(nested(opening, closing, levels))
    with pytest.raises(ValueError, match="nested"):
        read_json(nested(opening, closing, levels + 1))


@pytest.mark.parametrize("half", ["\ud83d", "\ude00\ud83d"])
def test_half_of_a_surrogate_pair_is_replaced_wherever_it_is(half: str) -> None:
    value: object = {half: [f"a{half}b", {"x": half}], "whole": "\N{GRINNING FACE}"}
    shown = "\ufffd" * len(half)
    expected = {shown: [f"a{shown}b", {"x": shown}], "whole": "\N{GRINNING FACE}"}
    assert read_json(json.dumps(value)) == expected
    assert read_json(json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass")) == expected


def test_brackets_in_texts_do_not_count() -> None:
    text = json.dumps(["[" * 500, '"[' * 500, '\\"{' * 500, {"[" * 300: "}" * 300}])
    assert read_json(text) == json.loads(text)


def test_a_wide_value_is_not_deep() -> None:
    assert read_json("[" + ",".join(["[[]]"] * 1000) + "]") == [[[]]] * 1000


@for_each(
    "text",
    [
        "[" * 200_000,
        '{"a":' * 200_000,
        "]" * 500 + "[" * 500,
        "1e999",
        "-1e999",
        "NaN",
        "[Infinity]",
        "9" * 5000,
        "",
        "x",
    ],
)
def test_what_cannot_be_used_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(text)
