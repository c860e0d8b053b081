"""Values that a JSON Schema of the operation table takes, for hypothesis; the subset that the table uses."""

from collections.abc import Mapping, Sequence
from typing import cast

from hypothesis import strategies as st

Schema = Mapping[str, object]
TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="/\\%."), min_size=1, max_size=12)
"""Text that a path may contain."""
FREE = st.dictionaries(TEXT, TEXT, max_size=2)


def values(schema: Schema) -> st.SearchStrategy[object]:
    """Give values that a schema takes."""
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(cast("Sequence[object]", schema["enum"]))
    if "anyOf" in schema:
        return st.one_of([values(member) for member in cast("Sequence[Schema]", schema["anyOf"])])
    kind = schema.get("type", "object")
    if isinstance(kind, list):
        return st.one_of([values({**schema, "type": item}) for item in cast("list[str]", kind)])
    return _of_kind(cast("str", kind), schema)


def _of_kind(kind: str, schema: Schema) -> st.SearchStrategy[object]:
    match kind:
        case "string":
            prefix = str(schema.get("pattern", "")).removeprefix("^")
            return TEXT.map(lambda text: prefix + text)
        case "integer" | "number":
            low = int(cast("int", schema.get("minimum", schema.get("exclusiveMinimum", 0)))) + 1
            return st.integers(low, int(cast("int", schema.get("maximum", low + 100))))
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case "array":
            return _lists(schema)
        case _:
            return objects(schema)


def _lists(schema: Schema) -> st.SearchStrategy[object]:
    if "prefixItems" in schema:
        return st.tuples(*map(values, cast("Sequence[Schema]", schema["prefixItems"]))).map(list)
    least = cast("int", schema.get("minItems", 0))
    return st.lists(values(cast("Schema", schema["items"])), min_size=least, max_size=least + 2)


def objects(schema: Schema) -> st.SearchStrategy[object]:
    """Give objects with all that a schema requires and some of the rest."""
    if "properties" not in schema:
        further = schema.get("additionalProperties")
        return st.dictionaries(TEXT, values(cast("Schema", further)), max_size=2) if further else FREE
    fields = {name: values(field) for name, field in cast("Mapping[str, Schema]", schema["properties"]).items()}
    required = cast("Sequence[str]", schema.get("required", ()))
    optional = {name: fields[name] for name in fields if name not in required}
    return st.fixed_dictionaries({name: fields[name] for name in required}, optional=optional)
