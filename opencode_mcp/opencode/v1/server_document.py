"""Differences between an OpenCode 1 server's own OpenAPI document and the table of operations.

Pure. The table was made from one OpenCode; the running one may be older or newer. The comparison covers what a caller
would notice: whether an operation exists, and the names of its arguments.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from opencode_mcp.errors import UnsupportedOperation
from opencode_mcp.opencode.tables.operation_table import Operation
from opencode_mcp.opencode.v1.table import TABLE
from opencode_mcp.text.json_types import JsonMap

SCOPING = frozenset({"directory", "workspace", "location", "location[directory]", "location[workspace]"})
"""Parameters that choose the project: the table has one word for each set."""
SERVED_BY_ALL = "global.health"


@dataclass(frozen=True, slots=True)
class Differences:
    """Differences between a server and the table."""

    missing: frozenset[str] = frozenset()
    """Operations that the server lacks."""
    changed: Mapping[str, str] = field(default_factory=dict[str, str])
    """Operations with other arguments, and the difference as a sentence."""

    def check(self, operation: Operation) -> str:
        """Return how the server's operation differs; empty if it does not.

        Raises:
            UnsupportedOperation: The server has no such operation.
        """
        if operation.id in self.missing:
            raise UnsupportedOperation(
                f"This OpenCode has no {operation.id} ({operation.method} {operation.path}).",
                hint=f"It is older or newer than {TABLE.version}; opencode_find_operations finds others.",
            )
        return self.changed.get(operation.id, "")


def differences(document: object) -> Differences:
    """Compare the whole table with a server's document (``GET /doc``).

    Older versions list only some of their operations. Such a document even lacks the operation by which the bridge
    recognised the server as an OpenCode, so it is not used to judge the others.
    """
    found = {item: _entry(item, document) for item in TABLE.operations.values()}
    if any(found.values()) and not found[TABLE.operations[SERVED_BY_ALL]]:
        return Differences()
    missing = frozenset(item.id for item, entry in found.items() if not entry)
    return Differences(missing=missing, changed=_changed(found, document))


def _changed(found: Mapping[Operation, JsonMap], document: object) -> dict[str, str]:
    texts = {item.id: _difference(item, entry, document) for item, entry in found.items() if entry}
    return {name: text for name, text in texts.items() if text}


def _entry(operation: Operation, document: object) -> JsonMap:
    # The rest of a path has a name only in the table.
    method = operation.method.lower()
    return _inside(document, "paths", operation.path, method) or _inside(
        document, "paths", operation.path.replace("{path}", "*"), method
    )


def _difference(operation: Operation, entry: JsonMap, document: object) -> str:
    ours = {item.name: item.required for item in operation.parameters if item.location == "query"}
    ours |= _fields(operation.body or {})
    theirs = _queries(entry) | _fields(_body(entry, document))
    differences = "; ".join(_sentences(ours, theirs))
    return f"This OpenCode's {operation.id} is not that of {TABLE.version}: {differences}." if differences else ""


def _sentences(ours: Mapping[str, bool], theirs: Mapping[str, bool]) -> Iterator[str]:
    for name in sorted(ours.keys() - theirs.keys()):
        yield f"it does not take `{name}`"
    for name in sorted(theirs):
        if theirs[name] and not ours.get(name):
            yield f"it needs `{name}`"
        elif name not in ours:
            yield f"it also takes `{name}`"


def _queries(entry: JsonMap) -> dict[str, bool]:
    listed = cast("list[JsonMap]", entry.get("parameters") or [])
    own = [item for item in listed if item.get("in") == "query" and item.get("name") not in SCOPING]
    return {str(item["name"]): bool(item.get("required")) for item in own}


def _body(entry: JsonMap, document: object) -> JsonMap:
    schema = _inside(entry, "requestBody", "content", "application/json", "schema")
    name = str(schema.get("$ref") or "").rpartition("/")[2]
    return _inside(document, "components", "schemas", name) if name else schema


def _fields(schema: Mapping[str, object]) -> dict[str, bool]:
    required = cast("list[str]", schema.get("required") or [])
    return {name: name in required for name in _inside(schema, "properties")}


def _inside(value: object, *steps: str) -> JsonMap:
    """Return the value at a path of keys; empty if the path ends early."""
    for step in steps:
        value = cast("JsonMap", value).get(step) if isinstance(value, Mapping) else None
    return cast("JsonMap", value) if isinstance(value, Mapping) else {}
