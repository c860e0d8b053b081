"""A part of a reply is selected by a JMESPath expression, whatever the expression, and at a bounded cost."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.server.operations.json_select import select_json
from opencode_mcp.text.json_text import read_json
from tests.harness.each import for_each

ROWS = [{"id": "a", "cost": 1.5, "time": {"created": 1}}, {"id": "b", "cost": 0}, {"id": "c", "tags": ["x", "y"]}]
PIECES = (
    *(
        "id",
        "cost",
        "time",
        ".",
        "[]",
        "[*]",
        "*",
        "[0]",
        "[-1]",
        "[1:]",
        "[?",
        "]",
        "@",
        "&",
        "|",
        "||",
        "!",
        "(",
        ")",
    ),
    *(
        "{",
        "}",
        ":",
        ",",
        "[",
        "length(",
        "join('',",
        "to_string(",
        "reverse(",
        "`1e999`",
        "`[1,2]`",
        "'x'",
        '"a b"',
        "==",
    ),
    *("sort_by(", "map(&", "to_number('1e999')", "merge(", "values(", " ", "\n", "\ud800", "$", "`"),
)


@for_each(
    ("expression", "found"),
    [
        ("", ROWS),
        ("[].cost", [1.5, 0]),
        ("``", ""),
        ("[].{id: id, created: time.created} | [0]", {"id": "a", "created": 1}),
        ("sum([].cost)", 1.5),
        ("[?cost > `1`].id", ["a"]),
        ("[2].tags[0]", "x"),
        ("[2].nothing", None),
        ("[].nothing", []),
    ],
)
def test_a_part_is_selected(expression: str, found: object) -> None:
    assert select_json(ROWS, expression) == found


@for_each(
    ("expression", "said"),
    [
        ("/0/id", "cannot be evaluated"),
        ("[].", "cannot be evaluated"),
        ("nothing(@)", "Unknown function: nothing()"),
        ("length(`1`)", "cannot be evaluated"),
        ("`1e999`", "is not finite"),
        ("[to_number('1e999')]", "is not finite"),
        ("[&id]", "is an expression"),
        ("[@,@]|" * 60 + "@", "makes too much"),
        ("join('',[@,@])|" * 33 + "@", "cannot be evaluated"),
        ("to_string([@,@])|" * 29 + "@", "makes too much"),
        ("[@,@][]|" * 60 + "@", "makes too much"),
        ("(" * 499, ""),
        ("[" * 250 + "]" * 250, ""),
        ("[@]|" * 124 + "@", "nested too deeply"),
        ("x" * 501, "at most 500 characters"),
    ],
)
def test_what_cannot_be_selected_is_refused_with_an_example(expression: str, said: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        select_json(ROWS, expression)
    assert said in str(caught.value)
    assert caught.value.hint


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
@settings(deadline=None, max_examples=300)
def test_any_expression_gives_json_or_is_refused(expression: str) -> None:
    try:
        found = select_json(ROWS, expression)
    except InvalidArgument:
        return
    read_json(json.dumps(found))
