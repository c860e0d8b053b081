"""Reduce the schemas of an OpenAPI document until a model can read them: resolve, simplify, cut, summarise.

Pure. It knows JSON Schema and not the meaning of OpenCode's operations. The document's own prose is left out.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

LONGEST_LIST = 12
"""Fields that are named before the rest becomes an ellipsis."""
DEEPEST = 8
PROSE = frozenset({"description", "title", "$comment", "example", "examples"})
"""Keywords that hold OpenCode's own sentences."""
SAFE_INTEGER = 2**53 - 1
NO_NUMBERS = {"NaN", "Infinity", "-Infinity"}

Schema = dict[str, Any]
Components = Mapping[str, Schema]


def small(schema: Schema, components: Components, limit: int) -> Schema:
    """Resolve and simplify a schema, and cut it to as few levels as it takes to have ``limit`` characters of JSON."""
    whole = simplify(resolve(schema, components))
    cuts = (cut(whole, depth) for depth in range(DEEPEST, 0, -1))
    return next((candidate for candidate in cuts if len(json.dumps(candidate)) <= limit), cut(whole, 1))


def _within(schema: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """Return the schema with ``change`` applied to every schema directly inside it."""
    return {key: _changed(key, value, change) for key, value in schema.items()}


def _changed(key: str, value: object, change: Callable[[Schema], Schema]) -> object:
    if key in {"properties", "patternProperties"}:
        return {name: change(item) for name, item in cast("Mapping[str, Schema]", value).items()}
    if key in {"items", "additionalProperties"} and isinstance(value, dict):
        return change(cast("Schema", value))
    return [change(item) for item in cast("list[Schema]", value)] if key in {"anyOf", "prefixItems"} else value


def resolve(schema: Schema, components: Components, trail: tuple[str, ...] = ()) -> Schema:
    """Replace references by their schemas, without prose; a schema inside itself becomes one that accepts anything."""
    if "$ref" not in schema:
        facts = {key: value for key, value in schema.items() if key not in PROSE}
        return _within(facts, lambda inner: resolve(inner, components, trail))
    name = _name(schema)
    if name in trail:
        return {"description": f"Nested {name}."}
    return resolve(components[name], components, (*trail, name))


def _name(reference: Schema) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def simplify(schema: Schema) -> Schema:
    """Shorten a schema without a change of meaning: single values, covered unions, bounds of the number type itself."""
    slim = _within(schema, simplify)
    if slim.get("maximum") == SAFE_INTEGER:
        del slim["maximum"]
    if slim.get("enum") == ["true", "false"]:
        return {"type": "boolean"}
    if len(slim.get("enum", ())) == 1:
        return {"const": slim["enum"][0]}
    return _union(slim["anyOf"]) if "anyOf" in slim else slim


def _union(members: Sequence[Schema]) -> Schema:
    distinct = list({json.dumps(member, sort_keys=True): member for member in members}.values())
    kept = [member for member in distinct if not _is_covered(member, distinct)]
    if len(kept) == 1:
        return kept[0]
    if all(set(member) == {"type"} for member in kept):
        return {"type": [member["type"] for member in kept]}
    return {"anyOf": kept}


def _is_covered(member: Schema, members: Sequence[Schema]) -> bool:
    return any(_covers(other, member) for other in members if other != member)


def _covers(wide: Schema, narrow: Schema) -> bool:
    """Return True if ``wide`` accepts every value that ``narrow`` accepts, or these are no JSON numbers at all."""
    if not wide:
        return True
    values: list[object] = narrow.get("enum", [narrow["const"]] if "const" in narrow else [])
    if wide in ({"type": "number"}, {"type": "integer"}):
        return bool(values) and set(values) <= NO_NUMBERS
    return wide == {"type": "string"} and (bool(values) or narrow.get("type") == "string")


def cut(schema: Schema, depth: int) -> Schema:
    """Keep ``depth`` levels of properties; below them, keep the type of a value and the names of its fields."""
    if depth == 0 and ("properties" in schema or isinstance(schema.get("additionalProperties"), dict)):
        return _outline(schema)
    if "anyOf" in schema:
        return _union([cut(member, depth) for member in schema["anyOf"]])
    return _within(schema, lambda inner: cut(inner, depth - ("items" not in schema)))


def _outline(schema: Schema) -> Schema:
    names = list(schema.get("properties", ()))
    return {"type": "object"} | ({"description": f"Fields: {_listed(names)}."} if names else {})


def _listed(names: Sequence[str]) -> str:
    more = ["…"] if len(names) > LONGEST_LIST else []
    return ", ".join([*names[:LONGEST_LIST], *more])


def in_words(schema: Schema, components: Components, *, fields: bool = True) -> str:
    """Summarise a schema: ``true``, ``string[]``, ``Session[] {id, title, …}``, ``map of Status``.

    Args:
        schema: A schema of the document, with its references.
        components: The schemas that references name.
        fields: List the fields of a named object.
    """
    if "$ref" in schema:
        return _named(schema, components, fields=fields)
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(in_words(member, components, fields=False) for member in schema["anyOf"]))
    if schema.get("type") == "array":
        return _plural(in_words(schema["items"], components, fields=fields))
    return _plain(schema, components)


def _named(reference: Schema, components: Components, *, fields: bool) -> str:
    target = components[_name(reference)]
    if "properties" in target:
        return _name(reference) + (f" {{{_fields(target)}}}" if fields else "")
    return in_words(target, components, fields=fields) if target.get("type") == "array" else _name(reference)


def _plural(item: str) -> str:
    name, space, rest = item.partition(" ")
    return f"{item}[]" if "{" in name else f"{name}[]{space}{rest}"


def _fields(schema: Schema) -> str:
    required = schema.get("required", ())
    return _listed([name if name in required else f"{name}?" for name in schema["properties"]])


def _plain(schema: Schema, components: Components) -> str:
    if "properties" in schema:
        return "{" + ", ".join(_field(name, value, components) for name, value in schema["properties"].items()) + "}"
    values = schema.get("additionalProperties") or next(iter(schema.get("patternProperties", {}).values()), None)
    if isinstance(values, dict):
        return f"map of {in_words(cast('Schema', values), components)}"
    return {"boolean": "true", None: "any"}.get(schema.get("type"), str(schema.get("type")))


def _field(name: str, schema: Schema, components: Components) -> str:
    if name == "location" or ("$ref" not in schema and schema.get("type") not in {"array", "object"}):
        return name
    return f"{name}: {in_words(schema, components, fields=name == 'data')}"
