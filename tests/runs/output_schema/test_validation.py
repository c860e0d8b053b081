"""A caller's schema is checked before it is sent, and the answer against it, in JSON Schema's own terms."""

from typing import Any

import pytest

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.runs.output_schema.validation import MISTAKES_SHOWN, check_schema, mismatch
from tests.harness.each import for_each


def an_object(**properties: object) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


WITH_DEFINITION = an_object(a={"anyOf": [{"$ref": "#/$defs/part"}, {"type": "null"}]}) | {
    "$defs": {"part": {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]}}
}


@for_each(
    ("schema", "said"),
    [
        ({"type": "objekt"}, "is not a JSON Schema"),
        ({"type": "object", "required": "a"}, "is not a JSON Schema"),
        ({"type": "array"}, "must describe an object"),
        ({"properties": {"a": {}}}, "must describe an object"),
        (an_object(a={"$ref": "https://example.com/schema.json"}), "'https://example.com/schema.json'"),
        (an_object(a={"anyOf": [{"$ref": "other.json#/a"}]}), "$defs"),
    ],
)
def test_what_is_no_schema_of_an_object_is_refused(schema: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        check_schema(schema)
    assert said in str(refused.value)


@pytest.mark.parametrize("schema", [{"type": "object"}, an_object(a={"type": "integer"}), WITH_DEFINITION])
def test_a_schema_of_an_object_passes(schema: dict[str, Any]) -> None:
    check_schema(schema)


@pytest.mark.parametrize(
    ("schema", "output"),
    [
        ({"type": "object"}, {"any": 1}),
        (an_object(a={"type": "integer"}), {"a": 1}),
        (WITH_DEFINITION, {"a": {"b": "x"}}),
        (WITH_DEFINITION, {"a": None}),
    ],
)
def test_an_answer_that_fits_is_not_remarked_upon(schema: dict[str, Any], output: object) -> None:
    assert mismatch(schema, output) == ""


@for_each(
    ("schema", "output", "said"),
    [
        (an_object(a={"type": "integer"}), {"a": "one"}, "$.a: 'one' is not of type 'integer'."),
        (an_object(a={"type": "integer"}) | {"required": ["a"]}, {}, "'a' is a required property"),
        (an_object() | {"additionalProperties": False}, {"b": 1}, "'b' was unexpected"),
        (an_object(a={"maxLength": 3}), {"a": "long"}, "is too long"),
        (an_object(a={"multipleOf": 2}), {"a": 3}, "multiple of 2"),
        (an_object(a={"oneOf": [{"type": "string"}, {"type": "integer"}]}), {"a": []}, "$.a"),
        (an_object(a={"not": {"type": "string"}}), {"a": "x"}, "$.a"),
        (an_object(a={"uniqueItems": True}), {"a": [1, 1]}, "$.a"),
        (an_object(a=False), {"a": 1}, "False schema does not allow 1"),
        (an_object(a={"prefixItems": [True], "items": False}), {"a": [1, 2]}, "$.a"),
        (WITH_DEFINITION, {"a": {}}, "$.a"),
        (an_object(a={"$ref": "#/$defs/nowhere"}), {"a": 1}, "does not define"),
        ({"type": "object"}, "text", "$: 'text' is not of type 'object'."),
    ],
)
def test_the_error_of_an_answer_that_does_not_fit_says_where_and_why(
    schema: dict[str, Any], output: object, said: str
) -> None:
    assert said in mismatch(schema, output)


def test_of_many_mistakes_the_first_few_are_reported() -> None:
    schema = an_object(**{f"p{number}": {"type": "integer"} for number in range(20)})
    text = mismatch(schema, {f"p{number}": "x" for number in range(20)})
    assert text.count("is not of type") == MISTAKES_SHOWN
