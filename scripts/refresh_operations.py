"""Make opencode_mcp/opencode/operations/operations.json from OpenCode's own OpenAPI document.

It holds facts only: an operation's name, method, path, arguments and responses. What the project adds (group, effect,
search words) is in ``opencode_mcp/opencode/operations/annotations.py``. From the repository::

    python -m scripts.refresh_operations --opencode PATH                      asks `opencode generate`
    python -m scripts.refresh_operations --document FILE --version 1.18.33    reads a saved document
"""

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from scripts.openapi_schemas import Components, Schema, in_words, resolve, simplify, small

TABLE = Path(__file__).parents[1] / "opencode_mcp" / "opencode" / "operations" / "operations.json"
BODY_LIMIT = 3000
"""How long a body's schema may be, in characters of JSON."""
SECONDS = 60
"""How long OpenCode may take to write its document."""
SCOPING = {
    "none": frozenset[str](),
    "directory": frozenset({"directory", "workspace"}),
    "location": frozenset({"location", "location[directory]", "location[workspace]"}),
}
"""The query parameters that choose the project: they are on nearly all operations, so one word stands for them."""
REST_OF_PATH: Schema = {
    "name": "path",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "relative-path"},
}
"""What a path that ends in ``*`` takes there."""
MEDIA = {"text/event-stream": "event stream", "application/octet-stream": "bytes"}


def table(document: Schema, version: str) -> str:
    """Write the whole table as JSON, one operation a line, sorted by id.

    Args:
        document: OpenCode's OpenAPI document.
        version: Which OpenCode wrote it.
    """
    components: Components = document["components"]["schemas"]
    rows = [
        row(method, path, operation, components)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    rows.sort(key=lambda item: item["id"])
    lines = (json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in rows)
    return f'{{"opencode":{json.dumps(version)},"operations":[\n' + ",\n".join(lines) + "\n]}\n"


def row(method: str, path: str, operation: Schema, components: Components) -> Schema:
    """Make the row of one operation; what it lacks is left out."""
    where = scope(operation["parameters"])
    own = [item for item in operation["parameters"] if item["name"] not in SCOPING[where]]
    fields: Schema = {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path.replace("*", "{path}"),
        "summary": operation.get("summary"),
        "description": operation.get("description"),
        "scope": where,
        "parameters": [_parameter(item, components) for item in ([REST_OF_PATH] if "*" in path else []) + own],
        "reply": reply(operation, components),
        "streams": _streams(operation),
    }
    return {key: value for key, value in fields.items() if value} | _body(operation, components)


def scope(parameters: Iterable[Schema]) -> str:
    """Say how an operation is told its project: by two plain parameters, by a deep object, or not at all."""
    names = {parameter["name"] for parameter in parameters}
    return next((name for name in ("location", "directory") if SCOPING[name] & names), "none")


def _parameter(parameter: Schema, components: Components) -> Schema:
    schema = simplify(resolve(parameter["schema"], components))
    fields: Schema = {
        "name": parameter["name"],
        "location": parameter["in"],
        "required": bool(parameter.get("required")),
        "description": schema.pop("description", None),
    }
    return {key: value for key, value in fields.items() if value} | {"schema": schema}


def _body(operation: Schema, components: Components) -> Schema:
    if "requestBody" not in operation:
        return {}
    schema = small(operation["requestBody"]["content"]["application/json"]["schema"], components, BODY_LIMIT)
    # The document's own `required` is left out where OpenCode does insist.
    return {"body": schema, "body_required": "properties" not in schema or bool(schema.get("required"))}


def reply(operation: Schema, components: Components) -> str:
    """Say in a few words what a good call answers."""
    good = next(value for code, value in operation["responses"].items() if code.startswith("2"))
    if not good.get("content"):
        return "(empty)"
    kind, media = next(iter(good["content"].items()))
    if kind == "application/json":
        return in_words(media["schema"], components)
    return MEDIA.get(kind, "text")


def _streams(operation: Schema) -> bool:
    websocket = "x-websocket" in operation or operation.get("description", "").startswith("Establish a WebSocket")
    return websocket or any("text/event-stream" in item.get("content", {}) for item in operation["responses"].values())


def ask(opencode: str, *arguments: str) -> str:
    """Run OpenCode in a home of its own, so that nobody's configuration is touched, and give what it prints."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        places = dict.fromkeys(("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"), home)
        done = subprocess.run(  # noqa: S603 - the executable is the one that the caller names
            [opencode, *arguments],
            env=os.environ | places,
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
            check=True,
        )
    return done.stdout


def main(arguments: Sequence[str] | None = None) -> None:
    """Refresh the table from a saved document, or from what an executable says."""
    parser = argparse.ArgumentParser(description="Make operations.json from OpenCode's own OpenAPI document.")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--document", type=Path, help="a saved OpenAPI document")
    source.add_argument("--opencode", help="an opencode executable to ask")
    parser.add_argument("--version", help="which OpenCode the saved document is of")
    chosen = parser.parse_args(arguments)
    if chosen.document and not chosen.version:
        parser.error("--document needs --version: the document does not say which OpenCode wrote it")
    text = chosen.document.read_text(encoding="utf-8") if chosen.document else ask(chosen.opencode, "generate")
    version = chosen.version or ask(chosen.opencode, "--version").strip()
    TABLE.write_text(table(json.loads(text), version), encoding="utf-8", newline="\n")
    print(f"{TABLE.name} is now of OpenCode {version}.")


if __name__ == "__main__":
    main()
