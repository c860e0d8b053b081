"""Arguments of an operation as one flat object: its JSON Schema, and its distribution to path, query and body.

Pure. The module decides where each argument goes and refuses unsafe values; ``codec.py`` encodes them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Literal, NamedTuple, cast, get_args

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.opencode.operation_catalog.argument_problems import Reach, missing, problems, unknown, unsafe
from opencode_mcp.opencode.tables.operation_table import BODY, Operation
from opencode_mcp.text.json_text import read_json
from opencode_mcp.text.json_types import Schema

ArgumentPlace = Literal["path", "query", "body", "scope"]
PLACES: tuple[ArgumentPlace, ...] = get_args(ArgumentPlace)
DIRECTORY: Schema = {"type": "string", "minLength": 1, "description": "Absolute path of the project directory."}
WORKSPACE: Schema = {"type": "string", "pattern": "^wrk"}
WORKSPACE_NAMES = {"directory": "workspace", "location": "location[workspace]"}


class Argument(NamedTuple):
    """Place of one argument of the flat object."""

    place: ArgumentPlace
    name: str
    """Name of the argument in OpenCode's API; empty if it is the whole body."""
    schema: Schema
    required: bool


class SplitArguments(NamedTuple):
    """Validated arguments, by place; the input of ``codec.encode``."""

    path: dict[str, str]
    query: dict[str, object]
    body: object
    """None if the operation has no body."""
    directory: str
    """Project directory in the arguments; empty if there is none."""


def arguments_schema(operation: Operation) -> dict[str, object]:
    """Return the JSON Schema of the flat object that ``split`` accepts."""
    arguments = arguments_of(operation)
    return {
        "type": "object",
        "properties": {name: argument.schema for name, argument in arguments.items()},
        "required": [name for name, argument in arguments.items() if argument.required],
        "additionalProperties": False,
    }


@cache
def arguments_of(operation: Operation) -> Mapping[str, Argument]:
    """Return the place of each argument.

    A name that occurs in two places becomes ``path_x`` and ``body_x``. An operation's own ``directory`` keeps its name,
    and the project's is then ``query_directory``.
    """
    own = [*_parameters(operation), *_body_fields(operation)]
    uses = Counter(argument.name for argument in own)
    named = {
        argument.name or BODY if uses[argument.name] == 1 else f"{argument.place}_{argument.name}": argument
        for argument in own
    }
    return named | {f"query_{name}" if name in uses else name: argument for name, argument in _scope(operation).items()}


def _parameters(operation: Operation) -> Iterator[Argument]:
    for parameter in operation.parameters:
        description = {"description": parameter.description} if parameter.description else {}
        yield Argument(parameter.location, parameter.name, {**parameter.schema, **description}, parameter.required)


def _body_fields(operation: Operation) -> Iterator[Argument]:
    body = operation.body or {}
    if operation.body is not None and not _has_fields(body):
        yield Argument("body", "", body, operation.body_required)
    required = cast("Sequence[str]", body.get("required", ()))
    for name, schema in cast("Mapping[str, Schema]", body.get("properties", {})).items():
        yield Argument("body", name, schema, name in required)


def _scope(operation: Operation) -> dict[str, Argument]:
    if operation.scope == "none":
        return {}
    directory = {"directory": Argument("scope", "directory", DIRECTORY, required=False)}
    if operation.scope not in WORKSPACE_NAMES:
        return directory
    return directory | {"workspace": Argument("scope", "workspace", WORKSPACE, required=False)}


def split(operation: Operation, arguments: Mapping[str, object]) -> SplitArguments:
    """Validate a flat object of arguments, and sort it by place.

    Args:
        operation: The row of the table.
        arguments: As ``arguments_schema`` describes them. A number or a boolean of the query may also be a text.

    Raises:
        InvalidArgument: An argument is missing, unknown, of the wrong type, or unsafe in its place; the text names all
            problems and what each argument accepts.
    """
    known = arguments_of(operation)
    given = {name: _typed(known.get(name), value) for name, value in arguments.items()}
    absent = _absent(known, given)
    wrong: list[str] = []
    for name, value in given.items():
        if name in known:
            wrong += _wrong(name, known[name], value)
    if absent or wrong:
        raise InvalidArgument(" ".join(absent + wrong), hint=_takes(operation) if absent else "")
    return _placed(operation, [(known[name], value) for name, value in given.items()])


def _absent(known: Mapping[str, Argument], given: Mapping[str, object]) -> list[str]:
    """Return a sentence for each argument that is unknown or missing."""
    strange = [unknown(name, known) for name in given if name not in known]
    return strange + [missing(name) for name, argument in known.items() if argument.required and name not in given]


def _typed(argument: Argument | None, value: object) -> object:
    """Parse a query's number or boolean that was given as a text; in the URL it becomes a text anyway."""
    if (
        argument is None
        or argument.place != "query"
        or not isinstance(value, str)
        or argument.schema.get("type") == "string"
    ):
        return value
    try:
        return read_json(value)
    except ValueError:
        return value


def _wrong(name: str, argument: Argument, value: object) -> list[str]:
    found = problems(name, argument.schema, value)
    if found or argument.place == "body" or not isinstance(value, str):
        return found
    reason = unsafe(value, _reach(argument))
    return [f"`{name}` {reason}."] if reason else []


def _reach(argument: Argument) -> Reach:
    if argument.place == "path":
        return "segments" if argument.schema.get("format") == "relative-path" else "segment"
    return "file" if argument.name == "path" else "text"


def _takes(operation: Operation) -> str:
    listed = [f"{name} (required)" if item.required else name for name, item in arguments_of(operation).items()]
    return f"{operation.id} takes {', '.join(listed) or 'no arguments'}."


def _placed(operation: Operation, given: Sequence[tuple[Argument, object]]) -> SplitArguments:
    at = {place: {item.name: value for item, value in given if item.place == place} for place in PLACES}
    workspace = {WORKSPACE_NAMES[operation.scope]: at["scope"]["workspace"]} if "workspace" in at["scope"] else {}
    return SplitArguments(
        path=cast("dict[str, str]", at["path"]),
        query=at["query"] | workspace,
        body=at["body"] if _has_fields(operation.body) else at["body"].get(""),
        directory=cast("str", at["scope"].get("directory", "")),
    )


def _has_fields(body: Schema | None) -> bool:
    return body is not None and "properties" in body
