"""Table of OpenCode's operations: the types that the tables of both generations share.

Method, path, arguments and reply come from ``operations.json``, which ``scripts/refresh_operations.py`` writes from
what OpenCode says of itself. ``descriptions.py`` and ``annotations.py`` are written by hand. The data of a generation
is in ``opencode/v1`` or ``opencode/v2``, where ``table.py`` makes the table of it. A table calls nothing and knows
neither HTTP nor MCP.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from typing import Any, Literal

from opencode_mcp.errors import NotFound
from opencode_mcp.opencode.tables.annotation_types import Annotation, Effect, Group
from opencode_mcp.opencode.versions import Generation
from opencode_mcp.text.json_types import Schema

Location = Literal["path", "query"]
BODY = "body"
"""Name of the argument that is the whole body, if the body is not an object with named fields."""
Scope = Literal["none", "directory", "location", "location[directory]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One argument that goes into the path or the query."""

    name: str
    location: Location
    required: bool = False
    schema: Schema
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operation:
    """One operation of OpenCode's HTTP API."""

    generation: Generation
    """Generation of OpenCode that has it. An id alone does not name an operation: both may have it, and differ."""
    id: str
    """OpenCode's operationId, such as ``session.prompt_async``."""
    method: str
    """The HTTP method, in capitals."""
    path: str
    """The path template, such as ``/session/{sessionID}``."""
    description: str
    """One sentence of ours on what it does and answers."""
    parameters: tuple[Parameter, ...] = ()
    """Parameters of the path and the query, except those that name the project directory: see ``scope``."""
    scope: Scope
    """Form of the directory and the workspace in a request: ``directory=`` and ``workspace=`` in the query, these two
    inside ``location[...]``, the directory alone as ``location[directory]``, or none."""
    body: Schema | None = None
    """JSON Schema of the request body, references resolved, deep levels cut; None if it takes no body."""
    body_required: bool = False
    """True if the body must have content; otherwise an empty object is enough."""
    body_type: str = "application/json"
    """Media type of the body. Another one than JSON is sent as it is, and ``body`` is then a string."""
    reply: str
    """Answer of a successful call, in short: ``Session[] {id, title, …}``, ``true``, ``(empty)``, ``event stream``."""
    streams: bool = False
    """True if the answer does not end by itself: server-sent events, or a WebSocket."""
    group: Group
    effect: Effect
    hints: str
    """Search words that the id and the description lack."""
    note: str
    """Traps that a caller should know."""
    destructive: bool
    """True if it destroys something that cannot be restored."""
    headers: Mapping[str, str]
    """Headers that every call must send."""
    instead: str = ""
    """Id of the operation to use instead, if this one is a preview; empty if it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Hand-written part of the table for the operations of one generation, by their ids."""

    annotations: Mapping[str, Annotation]
    descriptions: Mapping[str, str]
    arguments: Mapping[str, Mapping[str, str]]
    """Descriptions of arguments whose name does not explain them."""
    instead: Mapping[str, str] = field(default_factory=dict[str, str])
    """Operations to use instead of previews."""


class OperationTable:
    """The operations of one generation of OpenCode. Its file is read when it is first needed."""

    def __init__(self, generation: Generation, texts: Texts) -> None:
        """Name the generation, whose package has the file ``operations.json``, and the texts to its operations."""
        self.generation: Generation = generation
        self.texts = texts
        """Hand-written part of the table."""

    @property
    def version(self) -> str:
        """Version of OpenCode that the table was made from."""
        return self._document["opencode"]

    @cached_property
    def _document(self) -> dict[str, Any]:
        return json.loads(
            (files(f"opencode_mcp.opencode.v{self.generation}") / "operations.json").read_text(encoding="utf-8")
        )

    @cached_property
    def operations(self) -> Mapping[str, Operation]:
        """All operations by id, in the order of their ids."""
        return {row["id"]: self._operation(row) for row in self._document["operations"]}

    def operation(self, operation_id: str) -> Operation:
        """Return one operation.

        Raises:
            NotFound: No operation has that id.
        """
        found = self.operations.get(operation_id)
        if found is None:
            raise NotFound(f"OpenCode has no operation {operation_id!r}.")
        return found

    def _operation(self, row: dict[str, Any]) -> Operation:
        operation_id: str = row["id"]
        arguments = self.texts.arguments.get(operation_id, {})
        merged: dict[str, Any] = {
            **row,
            "generation": self.generation,
            "description": self.texts.descriptions[operation_id],
            "parameters": tuple(_parameter(item, arguments) for item in row.get("parameters", ())),
            "body": _described_body(row.get("body"), arguments),
            "instead": self.texts.instead.get(operation_id, ""),
            **self.texts.annotations[operation_id]._asdict(),
        }
        return Operation(**merged)


def _parameter(item: dict[str, Any], texts: Mapping[str, str]) -> Parameter:
    return Parameter(**item, description=texts.get(item["name"], ""))


def _described_body(body: dict[str, Any] | None, texts: Mapping[str, str]) -> Schema | None:
    if body is None:
        return None
    if "properties" not in body:
        return body | ({"description": texts[BODY]} if BODY in texts else {})
    fields: dict[str, Any] = {**body.get("properties", {})}
    for name in fields.keys() & texts.keys():
        fields[name] = {**fields[name], "description": texts[name]}
    return {**body, "properties": fields}
