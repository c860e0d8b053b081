"""A schema in few words says what is taken."""

from opencode_mcp.opencode.operation_catalog.arguments import arguments_of, arguments_schema
from opencode_mcp.opencode.operation_catalog.catalog import V1, V2
from opencode_mcp.opencode.operation_catalog.schema_text import in_short
from opencode_mcp.opencode.tables.operation_table import Operation
from opencode_mcp.text.json_types import Schema
from tests.harness.each import for_each


@for_each(
    ("schema", "words"),
    [
        ({"type": "string"}, "string"),
        ({"type": "string", "pattern": "^ses"}, '"ses…"'),
        ({"type": "string", "enum": ["a", "b"]}, '"a"|"b"'),
        ({"const": False}, "false"),
        ({"type": ["string", "null"]}, "string|null"),
        ({"type": "array", "items": {"type": "string"}}, "string[]"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, '("a"|"b")[]'),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "integer | null"),
        ({"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, "(string | null)[]"),
        ({"type": "object"}, "object"),
        ({"type": "object", "additionalProperties": {"type": "boolean"}}, "{[name]: boolean}"),
        ({}, "any"),
    ],
)
def test_each_form_has_its_notation(schema: Schema, words: str) -> None:
    assert in_short(schema) == words


def test_a_field_says_whether_it_may_be_left_out_and_what_it_is() -> None:
    schema = {
        "type": "object",
        "properties": {"path": {"type": "string", "description": "Where"}, "limit": {"type": "integer"}},
        "required": ["path"],
    }
    assert in_short(schema) == "{path: string /* Where */, limit?: integer}"


@for_each("item", [*V1.operations.values(), *V2.operations.values()])
def test_every_operations_arguments_are_named_in_a_short_text(item: Operation) -> None:
    words = in_short(arguments_schema(item))
    assert all(f"{name}: " in words or f"{name}?: " in words for name in arguments_of(item))
    assert len(words) < 2000
