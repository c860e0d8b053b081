"""What a server's own OpenAPI document says of an operation that the table says otherwise.

Pure. The table was made from one OpenCode; the one that runs may be older or newer. It compares what a caller would
run into: whether the operation is there, and what it takes by name.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from opencode_mcp.errors import UnsupportedOperation
from opencode_mcp.opencode.catalog import Operation, opencode_version

JsonMap = Mapping[str, Any]
SCOPING = frozenset({"directory", "workspace", "location", "location[directory]", "location[workspace]"})
"""The parameters that choose the project: the table has one word for them."""


def changes(operation: Operation, document: JsonMap) -> str:
    """Say how the server's operation differs from the table's; empty: it does not.

    Raises:
        UnsupportedOperation: The server has no such operation.
    """
    found = _entry(operation, document)
    if found is None:
        raise UnsupportedOperation(
            f"This OpenCode has no {operation.id} ({operation.method} {operation.path}).",
            hint=f"It is older or newer than {opencode_version()}; look for another with opencode_find_operations.",
        )
    said = list(_differences(operation, found, document))
    return f"This OpenCode's {operation.id} is not that of {opencode_version()}: {'; '.join(said)}." if said else ""


def _entry(operation: Operation, document: JsonMap) -> JsonMap | None:
    paths = cast("Mapping[str, JsonMap]", document.get("paths") or {})
    # The rest of a path has a name only in the table.
    candidates = (paths.get(path) for path in (operation.path, operation.path.replace("{path}", "*")))
    methods = next((found for found in candidates if found), {})
    return cast("JsonMap | None", methods.get(operation.method.lower()))


def _differences(operation: Operation, found: JsonMap, document: JsonMap) -> Iterator[str]:
    theirs = _parameters(found) | _body(found, document)
    ours = {item.name: item.required for item in operation.parameters if item.name != "path" or "*" not in theirs}
    ours |= _fields(operation.body or {})
    for name in sorted(theirs.keys() - ours.keys()):
        yield f"it takes `{name}`" + (", which it needs" if theirs[name] else "")
    for name in sorted(ours.keys() - theirs.keys() - {"path"}):
        yield f"it does not take `{name}`"
    for name in sorted(name for name in ours.keys() & theirs.keys() if theirs[name] and not ours[name]):
        yield f"it needs `{name}`"


def _parameters(found: JsonMap) -> dict[str, bool]:
    listed = cast("list[JsonMap]", found.get("parameters") or [])
    return {str(item["name"]): bool(item.get("required")) for item in listed if item.get("name") not in SCOPING}


def _body(found: JsonMap, document: JsonMap) -> dict[str, bool]:
    content = cast("JsonMap", (found.get("requestBody") or {}).get("content") or {})
    schema = cast("JsonMap", (content.get("application/json") or {}).get("schema") or {})
    reference = str(schema.get("$ref") or "").rpartition("/")[2]
    components = cast("JsonMap", (document.get("components") or {}).get("schemas") or {})
    return _fields(cast("JsonMap", components.get(reference) or schema))


def _fields(body: Mapping[str, object]) -> dict[str, bool]:
    required = cast("list[str]", body.get("required") or [])
    return {name: name in required for name in cast("JsonMap", body.get("properties") or {})}
