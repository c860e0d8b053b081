"""The caller's schema for a structured answer: whether it is one, and whether an answer fits it.

OpenCode hands the schema to the model and does not check the answer. References lead only inside the schema: one to
another document would have the bridge fetch what a caller names. A schema can make either check run or recurse
without end, so the bridge runs them in a process of their own: see ``checker_process.py``.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, cast

import jsonschema  # pyright: ignore[reportMissingTypeStubs]
import referencing
import referencing.exceptions

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.text.outside_text import cut

MISTAKES_SHOWN = 5
"""Mistakes that are reported."""
MISTAKES_READ = 1000
"""Mistakes that are read; a large answer may have millions."""
MISTAKE_CHARACTERS = 500
"""Characters of one mistake: it quotes the answer, which may be of any length."""
REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})
ENDLESS = "output_schema refers to itself without end"


def check_schema(schema: Mapping[str, Any]) -> None:
    """Refuse what is no JSON Schema (2020-12) of an object.

    Raises:
        InvalidArgument: The text says what is wrong with it.
    """
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise InvalidArgument(f"output_schema is not a JSON Schema: {_cut(error.message)}.") from error
    except RecursionError as error:
        raise InvalidArgument("output_schema is nested too deeply.", hint="Define the parts in its $defs.") from error
    if schema.get("type") != "object":
        raise InvalidArgument("output_schema must describe an object.", hint='Begin it with {"type": "object", ...}.')
    outside = next((reference for reference in _references(schema) if not reference.startswith("#")), "")
    if outside:
        raise InvalidArgument(
            f"output_schema refers to {_cut(outside)!r}.",
            hint='Put the definition into its "$defs" and refer to "#/$defs/...".',
        )
    try:
        mismatch(schema, {})
    except RecursionError as error:
        hint = "Let each reference lead to a part of the answer, not to the same again."
        raise InvalidArgument(f"{ENDLESS}.", hint=hint) from error


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, Mapping):
        for key, value in cast("Mapping[str, object]", schema).items():
            if key in REFERENCES and isinstance(value, str):
                yield value
            yield from _references(value)
    elif isinstance(schema, list):
        for item in cast("list[object]", schema):
            yield from _references(item)


def mismatch(schema: Mapping[str, Any], output: object) -> str:
    """Say how an answer breaks the schema, in JSON Schema's own terms; empty when it fits.

    Raises:
        RecursionError: The schema refers to itself without end, or it and the answer are nested too deeply.
    """
    validator = cast("Any", jsonschema.Draft202012Validator(schema, registry=referencing.Registry[Any]()))
    try:
        mistakes = cast("Iterator[jsonschema.ValidationError]", validator.iter_errors(output))
        found = list(islice(mistakes, MISTAKES_READ))
    except referencing.exceptions.Unresolvable as error:
        return f"The schema refers to what it does not define ({_cut(str(error))})."
    errors = sorted(found, key=lambda error: error.json_path)
    return " ".join(f"{_cut(error.json_path)}: {_cut(error.message)}." for error in errors[:MISTAKES_SHOWN])


def _cut(text: str) -> str:
    return cut(text, MISTAKE_CHARACTERS)
