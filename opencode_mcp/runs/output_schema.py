"""The caller's schema for a structured answer: whether it is one, and whether an answer fits it.

OpenCode hands the schema to the model and does not check the answer. References lead only inside the schema: one to
another document would have the bridge fetch what a caller names.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from opencode_mcp.errors import InvalidArgument

SHOWN = 5


def check_schema(schema: Mapping[str, Any]) -> None:
    """Refuse what is no JSON Schema (2020-12) of an object.

    Raises:
        InvalidArgument: The text says what is wrong with it.
    """
    from jsonschema import Draft202012Validator, SchemaError  # pyright: ignore[reportMissingTypeStubs]

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise InvalidArgument(f"output_schema is not a JSON Schema: {error.message}.") from error
    if schema.get("type") != "object":
        raise InvalidArgument("output_schema must describe an object.", hint='Begin it with {"type": "object", ...}.')
    outside = next((reference for reference in _references(schema) if not reference.startswith("#")), "")
    if outside:
        raise InvalidArgument(
            f"output_schema refers to {outside!r}.",
            hint='Put the definition into its "$defs" and refer to "#/$defs/...".',
        )


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, Mapping):
        for key, value in cast("Mapping[str, object]", schema).items():
            if key == "$ref" and isinstance(value, str):
                yield value
            yield from _references(value)
    elif isinstance(schema, list):
        for item in cast("list[object]", schema):
            yield from _references(item)


def mismatch(schema: Mapping[str, Any], output: object) -> str:
    """Say how an answer breaks the schema, in JSON Schema's own terms; empty when it fits."""
    from jsonschema import Draft202012Validator, ValidationError  # pyright: ignore[reportMissingTypeStubs]
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    validator = cast("Any", Draft202012Validator(schema, registry=Registry[Any]()))
    try:
        errors = cast("list[ValidationError]", sorted(validator.iter_errors(output), key=lambda error: error.json_path))
    except Unresolvable as error:
        return f"The schema refers to what it does not define ({error})."
    return " ".join(f"{error.json_path}: {error.message}." for error in errors[:SHOWN])
