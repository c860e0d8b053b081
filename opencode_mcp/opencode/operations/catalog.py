"""Table of OpenCode's operations: arguments, reply, description, and our annotations.

Method, path, arguments and reply come from ``operations.json``, which ``scripts/refresh_operations.py`` writes from
OpenCode's own document. ``descriptions.py`` and ``annotations.py`` are written by hand. The table calls nothing and
knows neither HTTP nor MCP.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from opencode_mcp.errors import NotFound
from opencode_mcp.opencode.operations.annotations import ANNOTATIONS, Effect, Group
from opencode_mcp.opencode.operations.descriptions import ARGUMENTS, DESCRIPTIONS
from opencode_mcp.text.closest import closest

Location = Literal["path", "query"]
Scope = Literal["none", "directory", "location"]
Schema = Mapping[str, object]


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
    """How it takes the directory and the workspace: as ``directory=`` and ``workspace=`` in the query, as the same two
    inside ``location[...]``, or not at all."""
    body: Schema | None = None
    """JSON Schema of the request body, references resolved, deep levels cut; None if it takes no body."""
    body_required: bool = False
    """True if the body must have content; otherwise an empty object is enough."""
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


@cache
def _table() -> dict[str, Any]:
    return json.loads((files("opencode_mcp.opencode.operations") / "operations.json").read_text(encoding="utf-8"))


def opencode_version() -> str:
    """Return the version of OpenCode that the table was made from."""
    return _table()["opencode"]


@cache
def operations() -> Mapping[str, Operation]:
    """Return all operations by id, in the order of their ids; the table is read at the first call."""
    return {row["id"]: _operation(row) for row in _table()["operations"]}


def operation(operation_id: str) -> Operation:
    """Return one operation.

    Raises:
        NotFound: No operation has that id; the hint names similar ones.
    """
    found = operations().get(operation_id)
    if found is None:
        near = closest(operation_id, operations())
        hint = f"Did you mean {' or '.join(near)}?" if near else "Search for it by words instead."
        raise NotFound(f"OpenCode has no operation {operation_id!r}.", hint=hint)
    return found


def _operation(row: dict[str, Any]) -> Operation:
    operation_id: str = row["id"]
    texts = ARGUMENTS.get(operation_id, {})
    merged: dict[str, Any] = {
        **row,
        "description": DESCRIPTIONS[operation_id],
        "parameters": tuple(_parameter(item, texts) for item in row.get("parameters", ())),
        "body": _described_body(row.get("body"), texts),
        **ANNOTATIONS[operation_id]._asdict(),
    }
    return Operation(**merged)


def _parameter(item: dict[str, Any], texts: Mapping[str, str]) -> Parameter:
    return Parameter(**item, description=texts.get(item["name"], ""))


def _described_body(body: dict[str, Any] | None, texts: Mapping[str, str]) -> Schema | None:
    if body is None or not texts:
        return body
    fields: dict[str, Any] = {**body.get("properties", {})}
    for name in fields.keys() & texts.keys():
        fields[name] = {**fields[name], "description": texts[name]}
    return {**body, "properties": fields}
