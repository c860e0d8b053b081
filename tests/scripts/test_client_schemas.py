"""JSON Schemas of a client's types, as OpenAPI documents have them."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Discriminator, Field, Tag

from scripts.client_schemas import schema_of
from scripts.openapi_schemas import Schema
from tests.harness.each import for_each


class Text(BaseModel):
    """A model with a tag, an optional field and another name on the wire."""

    type: Literal["text"] = "text"
    some_text: str = Field(validation_alias="someText")
    note: str | None = None


class Number(BaseModel):
    """A model with a tag and a field that may be null."""

    type: Literal["number"] = "number"
    number: int | None


class UnknownPart(BaseModel):
    """The member for what a newer server may add."""

    type: str


def tag_of(_value: object) -> str:
    """Return nothing of interest: only the schema is read."""
    return "text"


Part = Annotated[
    Annotated[Text, Tag("text")] | Annotated[Number, Tag("number")] | Annotated[UnknownPart, Tag("unknown")],
    Discriminator(tag_of),
]


@for_each(
    ("hint", "expected"),
    [
        (str, {"type": "string"}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (dict[str, bool], {"type": "object", "additionalProperties": {"type": "boolean"}}),
        (dict[str, object], {"type": "object"}),
        (Literal["a"], {"const": "a"}),
        (str | None, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (None, {"type": "null"}),
    ],
)
def test_a_plain_type_has_a_plain_schema(hint: object, expected: Schema) -> None:
    assert schema_of(hint, {}) == expected


@pytest.fixture
def components() -> dict[str, Schema]:
    """The models that a union refers to."""
    found: dict[str, Schema] = {}
    schema_of(Part, found)
    return found


def test_a_union_has_no_member_for_what_is_unknown() -> None:
    references = [{"$ref": f"#/components/schemas/{name}"} for name in ("Text", "Number")]
    assert schema_of(Part, {}) == {"anyOf": references}


def test_a_tag_is_required_though_the_client_fills_it_in(components: dict[str, Schema]) -> None:
    assert components["Text"]["required"] == ["type", "someText"]
    assert components["Text"]["properties"]["type"] == {"const": "text", "title": "Type"}


def test_a_field_that_is_left_out_is_not_null_and_one_that_may_be_null_is_not_left_out(
    components: dict[str, Schema],
) -> None:
    assert components["Text"]["properties"]["note"]["type"] == "string"
    assert components["Number"]["properties"]["number"]["anyOf"] == [{"type": "integer"}, {"type": "null"}]
    assert "number" in components["Number"]["required"]


def test_a_model_takes_no_further_fields(components: dict[str, Schema]) -> None:
    assert components["Text"]["additionalProperties"] is False
