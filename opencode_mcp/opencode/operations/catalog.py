"""The table of OpenCode's operations: what each takes and answers, and what we think of it.

Facts come from ``operations.json``, which ``scripts/refresh_operations.py`` makes from OpenCode's own document;
judgement (group, effect, words to find it by, warnings) from ``judgement.py``, by hand. It calls nothing and knows
neither HTTP nor MCP.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from opencode_mcp.errors import NotFound
from opencode_mcp.opencode.operations.annotations import JUDGEMENTS, Effect, Group
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
    summary: str = ""
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    """Without those that say the project directory; ``scope`` stands for them."""
    scope: Scope
    """How it is told its directory and workspace: ``directory=`` and ``workspace=`` in the query, the same inside
    ``location[...]``, or not at all."""
    body: Schema | None = None
    """JSON Schema of the request body, references resolved, deep levels cut; None: it takes none."""
    body_required: bool = False
    """Whether a call must say something in the body; an empty object is sent where it need not."""
    reply: str
    """What a good call answers, in short: ``Session[] {id, title, …}``, ``true``, ``(empty)``, ``event stream``."""
    streams: bool = False
    """Whether the answer never ends by itself: server-sent events, or a WebSocket."""
    group: Group
    effect: Effect
    hints: str
    """Words a person would look for that OpenCode's own text lacks."""
    note: str
    """What is worth knowing before calling it."""
    destructive: bool
    """Whether it destroys what cannot be brought back."""
    headers: Mapping[str, str]
    """Headers that it must be sent, whatever the arguments."""


@cache
def _table() -> dict[str, Any]:
    return json.loads((files("opencode_mcp.opencode.operations") / "operations.json").read_text(encoding="utf-8"))


def opencode_version() -> str:
    """Name the OpenCode that the table was made from."""
    return _table()["opencode"]


@cache
def operations() -> Mapping[str, Operation]:
    """Give all operations by id, in the order of their ids; the table is read at first use."""
    return {row["id"]: _operation(row) for row in _table()["operations"]}


def operation(operation_id: str) -> Operation:
    """Give one operation.

    Raises:
        NotFound: There is none of that id; the hint names near ones.
    """
    found = operations().get(operation_id)
    if found is None:
        near = closest(operation_id, operations())
        hint = f"Did you mean {' or '.join(near)}?" if near else "Look for it by words instead."
        raise NotFound(f"OpenCode has no operation {operation_id!r}.", hint=hint)
    return found


def _operation(row: dict[str, Any]) -> Operation:
    parameters = tuple(Parameter(**item) for item in row.get("parameters", ()))
    merged: dict[str, Any] = {**row, "parameters": parameters, **JUDGEMENTS[row["id"]]._asdict()}
    return Operation(**merged)
