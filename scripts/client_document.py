"""Write the contract of OpenCode 2 as an OpenAPI document, as far as an installed client of it shows the contract.

No released OpenCode 2 can be installed here to ask for its document. The package ``opencode-python-sdk`` is a third
party's client that was generated from the contract of one release. Its methods and models are facts: method, path,
names and types of the arguments, type of the reply. Its sentences are not read, apart from the line with the path.

Each method is called with the name of every argument as its value and with a recorder in the place of the HTTP client,
so the recorder gets the request with the wire's own names.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from types import UnionType
from typing import Any, NamedTuple, Union, cast, get_args, get_origin, get_type_hints

from opencode import resources, types
from opencode._resource import SyncAPIResource
from opencode._types import NotGiven

from scripts.client_schemas import schema_of
from scripts.openapi_schemas import Schema

ROUTE = re.compile(r"``(GET|POST|PUT|PATCH|DELETE) (/\S+)``")
"""Line of a docstring that names the method and the path."""
GROUP = re.compile(r"\(OpenCode ``(\S+)``\)")
"""Place of a docstring that names the group of operations, as the contract writes it."""
OF_THE_CLIENT = frozenset({"self", "return", "extra_headers", "extra_query", "extra_body", "timeout"})
"""Arguments of every method that are no arguments of the operation."""
FLAT = {"location": "location[directory]"}
"""Name on the wire of an argument that the client takes as an object with one field."""
AS_EXPORTED: Mapping[str, Schema] = {"info": {"type": "object"}}
"""Arguments that take what an export returned: a newer server may have written more than the contract has."""
BINARY: Schema = {"application/octet-stream": {}}


class Sent(NamedTuple):
    """A request as a method of the client made it."""

    call: str
    """Name of the HTTP client's method: ``request``, ``page`` or ``stream``."""
    options: Any
    reply: Mapping[str, Any]
    """Arguments that describe the reply."""


class Recorder:
    """A stand-in for the HTTP client that keeps the one request that it gets."""

    directory = None
    sent: Sent

    def __getattr__(self, call: str) -> Callable[..., None]:
        """Return a function that records its arguments."""

        def record(options: object, **reply: object) -> None:
            self.sent = Sent(call, options, reply)

        return record


def document() -> Schema:
    """Return the paths and the component schemas of the contract."""
    components: dict[str, Schema] = {}
    paths: dict[str, Schema] = {}
    for group, resource, function in _methods():
        found = ROUTE.search(function.__doc__ or "")
        if found is not None:
            method, path = found.groups()
            operation = {"operationId": f"{group}.{_camel(function.__name__)}"}
            operation |= _operation(path, resource, function, components)
            paths.setdefault(re.sub(r":(\w+)", r"{\1}", path), {})[method.lower()] = operation
    return {"paths": paths, "components": {"schemas": components}}


def _methods() -> Iterator[tuple[str, type[SyncAPIResource], Callable[..., object]]]:
    for info in pkgutil.iter_modules(resources.__path__):
        module = importlib.import_module(f"{resources.__name__}.{info.name}")
        for resource in _resources(module.__name__, vars(module)):
            group = GROUP.search(resource.__doc__ or "")
            functions = [item for item in vars(resource).values() if inspect.isfunction(item)]
            yield from ((group[1], resource, function) for function in functions if group)


def _resources(module: str, names: Mapping[str, object]) -> list[type[SyncAPIResource]]:
    classes = [item for item in names.values() if inspect.isclass(item) and item.__module__ == module]
    return [item for item in classes if issubclass(item, SyncAPIResource)]


def _camel(name: str) -> str:
    """Return the contract's name of a method: Python's has underscores, also after a reserved word."""
    first, *rest = name.strip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)


def _operation(
    path: str, resource: type[SyncAPIResource], function: Callable[..., object], components: dict[str, Schema]
) -> Schema:
    hints = get_type_hints(function, globalns={**vars(types), **inspect.getmodule(function).__dict__})
    arguments = {name: hint for name, hint in hints.items() if name not in OF_THE_CLIENT}
    sent = _sent(resource, function, arguments)
    optional = {name for name, item in inspect.signature(function).parameters.items() if item.default is not item.empty}
    schemas = _schemas(arguments, optional, components)
    parameters = _parameters(path, sent, schemas, optional)
    return {"parameters": parameters} | _body(sent, schemas, optional) | _responses(sent, hints["return"], components)


def _sent(resource: type[SyncAPIResource], function: Callable[..., object], arguments: Mapping[str, object]) -> Sent:
    """Call a method with the name of every argument as its value, and return the request that it makes."""
    values = {name: b"" if hint is bytes else name for name, hint in arguments.items()}
    recorder = Recorder()
    function(resource(cast("Any", recorder)), **values)
    return recorder.sent


def _schemas(arguments: Mapping[str, object], optional: set[str], components: dict[str, Schema]) -> dict[str, Schema]:
    schemas = {
        name: schema_of(_given(hint, required=name not in optional), components) for name, hint in arguments.items()
    }
    return schemas | {name: schema for name, schema in AS_EXPORTED.items() if name in schemas}


def _parameters(path: str, sent: Sent, schemas: Mapping[str, Schema], optional: set[str]) -> list[Schema]:
    query: Mapping[str, str] = sent.options.query
    # The arguments of the path are the first ones of a method.
    in_path = dict(zip(re.findall(r":(\w+)", path), schemas, strict=False))
    return [
        *(_parameter("path", wire, name, schemas, optional) for wire, name in in_path.items()),
        *(_parameter("query", FLAT.get(wire, wire), name, schemas, optional) for wire, name in query.items()),
    ]


def _given(hint: object, *, required: bool) -> object:
    """Return the type of an argument that is given: an optional one is left out, not sent as null."""
    if get_origin(hint) not in {Union, UnionType}:
        return hint
    left_out = {NotGiven} if required else {NotGiven, type(None)}
    return Union[tuple(item for item in get_args(hint) if item not in left_out)]  # noqa: UP007 - made at run time


def _parameter(place: str, wire: str, name: str, schemas: Mapping[str, Schema], optional: set[str]) -> Schema:
    return {"name": wire, "in": place, "required": name not in optional, "schema": schemas[name]}


def _body(sent: Sent, schemas: Mapping[str, Schema], optional: set[str]) -> Schema:
    if sent.options.content is not None:
        return {"requestBody": {"content": BINARY}}
    if isinstance(sent.options.body, NotGiven):
        return {}
    names: Mapping[str, str] = sent.options.body
    required = [wire for wire, name in names.items() if name not in optional]
    schema: Schema = {"type": "object", "properties": {wire: schemas[name] for wire, name in names.items()}}
    schema |= ({"required": required} if required else {}) | {"additionalProperties": False}
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}}


def _responses(sent: Sent, returned: object, components: dict[str, Schema]) -> Schema:
    return {"responses": {"200": {"content": _content(sent, returned, components)}}}


def _content(sent: Sent, returned: object, components: dict[str, Schema]) -> Schema:
    match sent.call, sent.reply.get("kind"):
        case "stream", _:
            return {"text/event-stream": {}}
        case _, "void":
            return {}
        case _, "binary":
            return BINARY
        case "page", _:
            schema = schema_of(getattr(types, sent.reply["response_type"]), components)
        case _:
            schema = schema_of(returned, components)
    return {"application/json": {"schema": _whole(schema, components, wrapped="unwrap" in sent.reply)}}


def _whole(schema: Schema, components: Mapping[str, Schema], *, wrapped: bool) -> Schema:
    """Return the schema of a whole reply: the client unwraps ``data``, and names what only one operation answers."""
    if wrapped:
        return {"type": "object", "properties": {"data": schema}}
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return components[name] if name.endswith("Response") else schema
