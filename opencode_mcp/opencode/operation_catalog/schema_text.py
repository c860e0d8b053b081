"""Short form of a JSON Schema in the notation of TypeScript's types, which models read well.

Pure. ``{sessionID: "ses…", title?: string, time?: {archived?: number}}`` has a quarter of the schema's length.
"""

import json
from collections.abc import Mapping, Sequence
from typing import cast

from opencode_mcp.text.json_types import Schema

DESCRIPTION_CHARACTERS = 90


def in_short(schema: Schema) -> str:
    """Return the short form of a schema."""
    if "const" in schema:
        return json.dumps(schema["const"], ensure_ascii=False)
    if "enum" in schema:
        return "|".join(json.dumps(value, ensure_ascii=False) for value in cast("Sequence[object]", schema["enum"]))
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(map(in_short, cast("Sequence[Schema]", schema["anyOf"]))))
    kinds = schema.get("type", "any")
    if isinstance(kinds, list):
        return "|".join(in_short({**schema, "type": kind}) for kind in cast("list[str]", kinds))
    return _typed(str(kinds), schema)


def _typed(kind: str, schema: Schema) -> str:
    match kind:
        case "object":
            return _object(schema)
        case "array":
            items = cast("Schema", schema.get("items", {}))
            return f"({in_short(items)})[]" if items.keys() & {"anyOf", "enum"} else f"{in_short(items)}[]"
        case "string" if "pattern" in schema:
            return f'"{str(schema["pattern"]).removeprefix("^")}…"'
        case _:
            return kind


def _object(schema: Schema) -> str:
    properties = cast("Mapping[str, Schema]", schema.get("properties", {}))
    if properties:
        required = cast("Sequence[str]", schema.get("required", ()))
        return "{" + ", ".join(_field(name, item, name in required) for name, item in properties.items()) + "}"
    values = schema.get("additionalProperties")
    return f"{{[name]: {in_short(cast('Schema', values))}}}" if isinstance(values, Mapping) else "object"


def _field(name: str, schema: Schema, required: bool) -> str:  # noqa: FBT001 - what a field has besides its name
    description = str(schema.get("description") or "")
    note = f" /* {description} */" if description and len(description) <= DESCRIPTION_CHARACTERS else ""
    return f"{name}{'' if required else '?'}: {in_short(schema)}{note}"
