"""Restrict the schema of a tool's arguments to the keywords that the APIs of all models accept.

Pure. A host passes a schema on unchanged, and a single keyword that a model's API does not know makes that API refuse
the whole request. The constraints that are left out here are still checked when the tool is called.
"""

import json
from collections.abc import Mapping
from typing import Any, cast

REFUSED = frozenset({"const", "default", "exclusiveMinimum", "format", "minLength"})
"""Keywords that some model's API refuses (see the rule in the tests)."""
NEEDLESS = frozenset({"additionalProperties", "minimum"})
"""Keywords that are left out to save bytes: the bridge itself refuses unknown arguments, and no model needs to be told
that a number of lines is not negative."""


def listed_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Rewrite a schema, and those within it, in keywords that every model's API knows."""
    kept = {key: value for key, value in schema.items() if key not in REFUSED | NEEDLESS}
    kept |= _constant(schema) | _default(schema) | _inner_schemas(schema)
    if forms := _open_forms(schema):
        kept.pop("anyOf")
        kept |= forms
    # A schema for any value has no type, but model APIs require one.
    return kept or {"type": "object"}


def _constant(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "string", "enum": [schema["const"]]} if "const" in schema else {}


def _default(schema: Mapping[str, Any]) -> dict[str, Any]:
    if "default" in schema:
        return {"description": _with_default(schema.get("description", ""), schema["default"])}
    return {}


def _inner_schemas(schema: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    if "properties" in schema:
        properties = cast("Mapping[str, Mapping[str, Any]]", schema["properties"])
        kept["properties"] = {name: listed_schema(item) for name, item in properties.items()}
    if "items" in schema:
        kept["items"] = listed_schema(schema["items"])
    return kept


def _open_forms(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return one form in place of several that are objects and have no fields but those in their descriptions."""
    forms = cast("list[Mapping[str, Any]]", schema.get("anyOf", []))
    if not forms or any(form.get("type") != "object" or "properties" in form for form in forms):
        return {}
    return {"type": "object", "description": " Or: ".join(str(form.get("description", "")) for form in forms)}


def _with_default(description: str, default: object) -> str:
    value = default if isinstance(default, str) else json.dumps(default)
    return f"{description}; default {value}" if description else f"Default {value}"
