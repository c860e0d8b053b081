"""Schemas made small: what they take stays the same until they are cut."""

from scripts.openapi_schemas import Schema, cut, in_words, resolve, simplify, small

COMPONENTS: dict[str, Schema] = {
    "Node": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}},
    "Names": {"type": "array", "items": {"type": "string"}},
    "Pair": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "number"}}, "required": ["a"]},
}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def test_a_schema_inside_itself_becomes_free() -> None:
    resolved = resolve(ref("Node"), COMPONENTS)
    assert resolved["properties"]["next"] == {"description": "Nested Node."}


def test_a_union_with_null_becomes_a_list_of_types() -> None:
    assert simplify({"anyOf": [{"type": "string"}, {"type": "null"}]}) == {"type": ["string", "null"]}


def test_a_union_with_anything_takes_anything() -> None:
    assert simplify({"anyOf": [{}, {"type": "null"}]}) == {}


def test_a_number_is_not_spelled_in_words() -> None:
    union: Schema = {"anyOf": [{"type": "number"}, {"type": "string", "enum": ["NaN"]}, {"enum": ["Infinity"]}]}
    assert simplify(union) == {"type": "number"}


def test_a_choice_beside_any_text_is_any_text() -> None:
    assert simplify({"anyOf": [{"type": "string", "enum": ["a", "b"]}, {"type": "string"}]}) == {"type": "string"}


def test_true_and_false_as_texts_are_a_boolean() -> None:
    union: Schema = {"anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["true", "false"]}]}
    assert simplify(union) == {"type": "boolean"}


def test_a_choice_of_one_is_a_constant() -> None:
    assert simplify({"type": "string", "enum": ["file"]}) == {"const": "file"}


def test_a_field_may_be_named_like_a_keyword() -> None:
    schema: Schema = {"type": "object", "properties": {"items": {"type": "string", "enum": ["x"]}, "anyOf": {}}}
    assert simplify(schema)["properties"] == {"items": {"const": "x"}, "anyOf": {}}


def test_the_prose_of_the_document_is_dropped_and_a_field_of_that_name_is_kept() -> None:
    schema: Schema = {"type": "object", "title": "T", "properties": {"description": {"type": "string", "title": "D"}}}
    assert resolve(schema, {}) == {"type": "object", "properties": {"description": {"type": "string"}}}


def test_a_cut_keeps_the_names_of_what_it_drops() -> None:
    deep: Schema = {"type": "object", "properties": {"pair": COMPONENTS["Pair"]}}
    assert cut(deep, 1)["properties"]["pair"] == {"type": "object", "description": "Fields: a, b."}
    assert cut(deep, 2) == deep


def test_a_schema_is_cut_only_as_far_as_the_limit_asks() -> None:
    pairs: Schema = {"type": "object", "properties": {"pairs": {"type": "array", "items": ref("Pair")}}}
    assert small(pairs, COMPONENTS, 1000)["properties"]["pairs"]["items"] == COMPONENTS["Pair"]
    assert small(pairs, COMPONENTS, 150)["properties"]["pairs"]["items"]["description"] == "Fields: a, b."


def test_replies_are_put_in_words() -> None:
    assert in_words({"type": "boolean"}, COMPONENTS) == "true"
    assert in_words({}, COMPONENTS) == "any"
    assert in_words(ref("Names"), COMPONENTS) == "string[]"
    assert in_words({"type": "array", "items": ref("Pair")}, COMPONENTS) == "Pair[] {a, b?}"
    assert in_words({"anyOf": [ref("Pair"), ref("Node")]}, COMPONENTS) == "Pair | Node"
    assert in_words({"type": "object", "additionalProperties": ref("Pair")}, COMPONENTS) == "map of Pair {a, b?}"
    listed: Schema = {"type": "array", "items": {"type": "object", "properties": {"data": ref("Pair"), "n": {}}}}
    assert in_words(listed, COMPONENTS) == "{data: Pair {a, b?}, n}[]"
