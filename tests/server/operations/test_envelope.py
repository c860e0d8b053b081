"""An expression selects from the content of a reply, whichever generation of OpenCode it comes from."""

from typing import Any

import pytest

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.server.operations.envelope import content_of, select_part
from tests.harness.each import for_each

ROWS: list[dict[str, Any]] = [{"id": "a", "cost": 1}, {"id": "b", "cost": 2}]
PLACE = {"directory": "/work"}


@pytest.mark.parametrize(
    "reply", [ROWS, {"data": ROWS}, {"location": PLACE, "data": ROWS}, {"data": ROWS, "cursor": {}}]
)
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("[].id", ["a", "b"]),
        ("[?cost > `1`].id", ["b"]),
        ("length(@)", 2),
        ("sum([].cost)", 3),
        ("[0].{name: id}", {"name": "a"}),
    ],
)
def test_the_same_expression_fits_a_reply_with_and_without_an_envelope(
    reply: object, expression: str, expected: object
) -> None:
    assert select_part(reply, expression) == expected


@for_each(
    ("expression", "expected"),
    [
        ("data", ROWS),
        ("data[1].id", "b"),
        ("location.directory", "/work"),
        ("keys(@)", ["location", "data"]),
        ("length(data)", 2),
        ("nothing", None),
    ],
)
def test_an_expression_about_the_envelope_is_about_the_whole_reply(expression: str, expected: object) -> None:
    assert select_part({"location": PLACE, "data": ROWS}, expression) == expected


def test_an_object_with_a_field_named_data_beside_others_is_no_envelope() -> None:
    reply = {"data": ROWS, "title": "x"}
    assert content_of(reply) is reply
    assert select_part(reply, "title") == "x"
    assert content_of({"data": ROWS}) is ROWS


def test_nothing_selected_of_an_empty_list_is_an_empty_list() -> None:
    assert select_part({"data": [], "cursor": {}}, "[].id") == []


def test_an_object_in_an_envelope_is_reached_by_its_own_fields() -> None:
    assert select_part({"data": {"id": "a", "location": PLACE}}, "location.directory") == "/work"


def test_an_expression_that_cannot_be_evaluated_is_an_error() -> None:
    for reply in (ROWS, {"data": ROWS}):
        with pytest.raises(InvalidArgument, match="cannot be evaluated"):
            select_part(reply, "[")
