"""Problems of an argument, as sentences that name the field and say what it accepts.

Pure. The module knows JSON Schema and paths, and nothing of operations. It shows a value only if that is safe: never
under a name that marks a secret.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, Protocol, cast

import jsonschema  # pyright: ignore[reportMissingTypeStubs]

from opencode_mcp.text.json_types import Schema
from opencode_mcp.text.outside_text import cut
from opencode_mcp.text.similar_names import similar_names

Reach = Literal["segment", "segments", "file", "text"]
"""Place of a text: in one segment of the URL's path, in several, as a file's path in the query, or any text."""

SECRET = re.compile(r"key|token|secret|password|refresh|access|auth|code|credential|env|header", re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
SLASHES = {"/", "\\"}
ENCODED = re.compile(r"%(2f|5c|2e)", re.IGNORECASE)
VALUE_CHARACTERS = 60
"""Longest part of a value that is shown, in characters."""
MOST_TAKERS = 2
"""Most others that are named because they take an unknown argument."""
KINDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


class _Problem(Protocol):
    """Attributes of a ``jsonschema.ValidationError`` that are used here."""

    validator: str
    validator_value: object
    instance: object
    schema: Schema
    absolute_path: Iterable[str | int]


class _Validator(Protocol):
    def iter_errors(self, instance: object) -> Iterable[_Problem]: ...


def unknown(name: str, known: Iterable[str], inside: str = "", takers: Sequence[str] = ()) -> str:
    """Return what is to be said of an unknown argument.

    Args:
        name: The argument.
        known: Known arguments, of which a similar one is suggested.
        inside: Path of the object that has it, with a dot at the end; empty for the arguments themselves.
        takers: Others that take such an argument; they are named if they are few.
    """
    similar = similar_names(name, known, count=1, cutoff=0.6)
    shown = cut(name, VALUE_CHARACTERS)
    problem = f"There is no argument `{inside}{shown}`"
    taken = _taken_by(takers)
    if not similar:
        return f"{problem}; {taken} it." if taken else f"{problem}."
    suggestion = f"{problem}; did you mean `{inside}{similar[0]}`?"
    return f"{suggestion} {taken} `{shown}`." if taken else suggestion


def _taken_by(takers: Sequence[str]) -> str:
    """Return the names of others with their verb; empty if there are none, or too many."""
    if not 0 < len(takers) <= MOST_TAKERS:
        return ""
    return f"{' and '.join(takers)} {'takes' if len(takers) == 1 else 'take'}"


def missing(name: str) -> str:
    """Return the sentence for a required argument that is missing."""
    return f"`{name}` is missing."


RULES: Sequence[tuple[set[Reach], Callable[[str], object], str]] = (
    ({"segment", "segments", "file", "text"}, CONTROL.search, "must not hold a line break or a control character"),
    ({"segment", "segments", "file"}, lambda text: ".." in re.split(r"[/\\]", text), "must not climb with `..`"),
    ({"segment", "segments"}, lambda text: not text.strip("."), "must name something"),
    ({"segment", "segments"}, ENCODED.search, "must not hold an encoded slash or dot"),
    ({"segment"}, lambda text: set(text) & SLASHES, "must not hold a slash"),
    ({"segments"}, lambda text: set(text[0]) & SLASHES, "must be relative"),
)
"""Properties that a text must not have, by its place; the first that matches is reported."""


def unsafe(value: str, reach: Reach) -> str:
    """Return the reason why a text must not be used in a place; empty if it may."""
    return next((reason for reaches, is_bad, reason in RULES if reach in reaches and is_bad(value)), "")


def problems(name: str, schema: Schema, value: object) -> list[str]:
    """Return all problems of a value.

    Args:
        name: Name of the argument; a problem of an inner field has a path that begins with it, as ``parts[0].type``.
        schema: JSON Schema of the argument.
        value: The value that was given.
    """
    validator = cast("_Validator", jsonschema.Draft202012Validator(schema))
    found = (text for problem in validator.iter_errors(value) for text in _sentences(name, problem))
    return list(dict.fromkeys(found))


def _sentences(name: str, problem: _Problem) -> list[str]:
    where = name + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in problem.absolute_path)
    match problem.validator:
        case "anyOf":
            return _of_union(where, cast("Sequence[Schema]", problem.validator_value), problem.instance)
        case "required":
            return _missing_fields(where, problem)
        case "additionalProperties":
            return _unknown_fields(where, problem)
        case _:
            requirement = REQUIREMENTS[problem.validator](problem.validator_value)
            return [f"`{where}` {requirement}{_got(where, problem.instance, shown=problem.validator != 'type')}."]


def _missing_fields(where: str, problem: _Problem) -> list[str]:
    fields = cast("Mapping[str, object]", problem.instance)
    required = cast("Sequence[str]", problem.validator_value)
    return [missing(f"{where}.{key}") for key in required if key not in fields]


def _unknown_fields(where: str, problem: _Problem) -> list[str]:
    known = cast("Mapping[str, object]", problem.schema.get("properties", {}))
    given = cast("Mapping[str, object]", problem.instance)
    return [unknown(key, known, f"{where}.") for key in given if key not in known]


def _of_union(where: str, members: Sequence[Schema], value: object) -> list[str]:
    """Check against the member that was meant: the one with the value's type and, among objects, with its ``type``."""
    fitting = [member for member in members if _kinds_of(member) & _kinds(value)]
    if len(fitting) == 1 and not {"const", "enum"} & set(fitting[0]):
        return problems(where, fitting[0], value)
    if not fitting or not isinstance(value, Mapping | list):
        wanted = " or ".join(dict.fromkeys(map(_wanted, members)))
        return [f"`{where}` must be {wanted}{_got(where, value, shown=False)}."]
    return _of_fitting(where, fitting, cast("object", value))


def _of_fitting(where: str, members: Sequence[Schema], value: object) -> list[str]:
    tagged = {tag: member for member in members if (tag := _tag(member))}
    if len(tagged) > 1:
        return _of_tagged(where, tagged, cast("Mapping[str, object]", value))
    return min((problems(where, member, value) for member in members), key=len)


def _of_tagged(where: str, members: Mapping[str, Schema], value: Mapping[str, object]) -> list[str]:
    tag = value.get("type")
    if isinstance(tag, str) and tag in members:
        return problems(where, members[tag], value)
    if tag is None:
        return [f"`{where}.type` is missing; it is one of {', '.join(members)}."]
    return [f"`{where}.type` must be one of {', '.join(members)}{_got(f'{where}.type', tag, shown=True)}."]


def _tag(member: Schema) -> str:
    properties = cast("Mapping[str, Schema]", member.get("properties", {}))
    return str(properties.get("type", {}).get("const", ""))


def _wanted(schema: Schema) -> str:
    """Return what a schema accepts, in a few words."""
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return f"one of {', '.join(map(str, cast('Sequence[object]', schema['enum'])))}"
    return " or ".join(KINDS[kind] for kind in KINDS if kind in _kinds_of(schema))


def _kinds_of(schema: Schema) -> set[str]:
    """Return the JSON types that a schema accepts."""
    if "const" in schema:
        return _kinds(schema["const"])
    kinds = schema.get("type", list(KINDS))
    return {kinds} if isinstance(kinds, str) else set(cast("Sequence[str]", kinds))


def _kinds(value: object) -> set[str]:
    """Return the JSON types of a value; a whole number is a number too."""
    match value:
        case bool():
            return {"boolean"}
        case int():
            return {"integer", "number"}
        case float():
            return {"number"}
        case str():
            return {"string"}
        case None:
            return {"null"}
        case _:
            return {"object"} if isinstance(value, Mapping) else {"array"}


REQUIREMENTS: Mapping[str, Callable[[object], str]] = {
    "enum": lambda values: f"must be {_wanted({'enum': values})}",
    "const": lambda value: f"must be {_wanted({'const': value})}",
    "type": lambda kinds: f"must be {_wanted({'type': kinds})}",
    "pattern": lambda pattern: f"must start with {str(pattern).removeprefix('^')}",
    "minimum": lambda bound: f"must be {bound} or more",
    "maximum": lambda bound: f"must be {bound} or less",
    "exclusiveMinimum": lambda bound: f"must be more than {bound}",
    "minLength": lambda _: "must not be empty",
    "minItems": lambda bound: f"must have at least {bound} items",
    "maxItems": lambda bound: f"must have at most {bound} items",
}
"""Sentence for each keyword of JSON Schema; a test checks that every keyword of the table is here."""


def _got(where: str, value: object, *, shown: bool) -> str:
    """Return the value for display, unless it is a secret's; a text is shown only if a text is accepted."""
    if SECRET.search(where):
        return ""
    if isinstance(value, Mapping | list) or (isinstance(value, str) and not shown):
        return f"; got {KINDS[_kinds(cast('object', value)).pop()]}"
    text = repr(value) if isinstance(value, str) else json.dumps(value)
    return f"; got {cut(text, VALUE_CHARACTERS)}"
