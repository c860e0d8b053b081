"""Make JSON Schemas of the types of a client that uses pydantic, in the form that OpenAPI documents have.

The client accepts what a newer server may add: further fields, further values, further members of a union. A schema for
callers names only what the contract has.
"""

from typing import Any, cast

from pydantic import TypeAdapter

from scripts.openapi_schemas import Schema

UNKNOWN = "Unknown"
"""Beginning of the names of the models that stand for members which a newer server may add."""
OF_PYDANTIC = frozenset({"discriminator", "default"})
NULL = {"type": "null"}


def schema_of(hint: object, components: dict[str, Schema]) -> Schema:
    """Return the schema of a type, and add the models that it refers to.

    Args:
        hint: A type as an annotation of the client gives it.
        components: Schemas of the models by name; missing ones are added.
    """
    if hint is None or hint is type(None):
        return NULL
    # Inside a list, pydantic refers to a model by its name.
    a_list: Any = list.__class_getitem__(hint)
    made = TypeAdapter[Any](a_list).json_schema(ref_template="#/components/schemas/{model}")
    models: dict[str, Schema] = made.get("$defs", {})
    for name, model in models.items():
        components.setdefault(name, _plain(model))
    return _plain(made["items"])


def _plain(schema: Schema) -> Schema:
    """Return a schema without what is pydantic's or the client's own."""
    plain: Schema = {key: _inner(key, value) for key, value in schema.items() if key not in OF_PYDANTIC}
    _plain_union(plain)
    if "const" in plain:
        plain.pop("type", None)
    if plain.get("additionalProperties") is True:
        del plain["additionalProperties"]
    return _model(schema, plain) if "properties" in plain else plain


def _plain_union(plain: Schema) -> None:
    """Write a union as ``anyOf``, without the members that a newer server may add."""
    if "oneOf" in plain:
        plain["anyOf"] = plain.pop("oneOf")
    if "anyOf" in plain:
        plain["anyOf"] = [item for item in plain["anyOf"] if not _is_unknown(item)]


def _inner(key: str, value: object) -> object:
    if key == "properties":
        return {name: _field(item) for name, item in cast("dict[str, Schema]", value).items()}
    if key in {"items", "additionalProperties"} and isinstance(value, dict):
        return _plain(cast("Schema", value))
    if key in {"anyOf", "oneOf", "prefixItems"}:
        return [_plain(item) for item in cast("list[Schema]", value)]
    return value


def _field(schema: Schema) -> Schema:
    """Return the schema of a model's field: one that is None unless it is set is left out, not sent as null."""
    plain = _plain(schema)
    if "default" in schema and schema["default"] is None and "anyOf" in plain:
        members = [item for item in plain["anyOf"] if item != NULL]
        return members[0] if len(members) == 1 else {**plain, "anyOf": members}
    return plain


def _model(schema: Schema, plain: Schema) -> Schema:
    """Return the schema of a model: it takes no further fields, and a tag with a default must be sent."""
    tags = [name for name, field in schema["properties"].items() if "const" in field]
    required = [name for name in schema["properties"] if name in {*schema.get("required", ()), *tags}]
    return {**plain, "additionalProperties": False} | ({"required": required} if required else {})


def _is_unknown(schema: Schema) -> bool:
    return str(schema.get("$ref", "")).rpartition("/")[2].startswith(UNKNOWN)
