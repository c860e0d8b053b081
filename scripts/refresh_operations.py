"""Write the file operations.json of one generation of OpenCode, in opencode_mcp/opencode/v1 or v2.

The file holds facts only: id, method, path, arguments and reply of each operation. No sentence of the source is copied;
descriptions and annotations are written by hand, in ``descriptions.py`` and ``annotations.py`` beside the file. In the
repository::

    python -m scripts.refresh_operations --opencode PATH                      OpenCode 1: asks `opencode generate`
    python -m scripts.refresh_operations --document FILE --version 1.18.33    OpenCode 1: reads a saved document
    python -m scripts.refresh_operations --client                             OpenCode 2: reads the installed client
"""

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import opencode

from scripts.client_document import document as client_document
from scripts.openapi_schemas import Components, Schema, in_words, resolve, simplify, small

DATA = Path(__file__).parents[1] / "opencode_mcp" / "opencode"
TABLES = {1: DATA / "v1" / "operations.json", 2: DATA / "v2" / "operations.json"}
"""File of each generation of OpenCode."""
BODY_LIMIT = 3000
"""Longest schema of a body, in characters of JSON."""
TIMEOUT_SECONDS = 60
"""Time that OpenCode has to write its document."""
SCOPING = {
    "none": frozenset[str](),
    "directory": frozenset({"directory", "workspace"}),
    "location[directory]": frozenset({"location[directory]"}),
    "location": frozenset({"location", "location[directory]", "location[workspace]"}),
}
"""Query parameters that choose the project. Nearly all operations have them, so the table has one word for each set."""
REST_OF_PATH: Schema = {
    "name": "path",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "relative-path"},
}
"""Parameter that stands for the ``*`` at the end of a path."""
MEDIA = {"text/event-stream": "event stream", "application/octet-stream": "bytes"}


def table(document: Schema, version: str) -> str:
    """Write the whole table as JSON, one operation a line, sorted by id.

    Args:
        document: OpenCode's OpenAPI document.
        version: The version of OpenCode that wrote it.
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
    """Return the row of one operation, without the fields that are empty."""
    where = scope(operation["parameters"])
    own = [item for item in operation["parameters"] if item["name"] not in SCOPING[where]]
    fields: Schema = {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path.replace("*", "{path}"),
        "scope": where,
        "parameters": [_parameter(item, components) for item in ([REST_OF_PATH] if "*" in path else []) + own],
        "reply": reply(operation, components),
        "streams": _streams(operation),
    }
    return {key: value for key, value in fields.items() if value} | _body(operation, components)


def scope(parameters: Iterable[Schema]) -> str:
    """Return how an operation takes its project: in two plain parameters, in a deep object, or not at all.

    A parameter ``directory`` without ``workspace`` is a filter and not the project.
    """
    names: set[str] = {parameter["name"] for parameter in parameters}
    if SCOPING["directory"] <= names:
        return "directory"
    if SCOPING["location"] & names == SCOPING["location[directory]"]:
        return "location[directory]"
    return "location" if names & SCOPING["location"] else "none"


def _parameter(parameter: Schema, components: Components) -> Schema:
    fields: Schema = {
        "name": parameter["name"],
        "location": parameter["in"],
        "required": bool(parameter.get("required")),
    }
    schema = simplify(resolve(parameter["schema"], components))
    return {key: value for key, value in fields.items() if value} | {"schema": schema}


def _body(operation: Schema, components: Components) -> Schema:
    if "requestBody" not in operation:
        return {}
    content = operation["requestBody"]["content"]
    if "application/json" not in content:
        return {"body": {"type": "string"}, "body_required": True, "body_type": next(iter(content))}
    schema = small(content["application/json"]["schema"], components, BODY_LIMIT)
    # The document does not mark every body as required that OpenCode requires.
    return {"body": schema, "body_required": "properties" not in schema or bool(schema.get("required"))}


def reply(operation: Schema, components: Components) -> str:
    """Summarise the answer of a successful call."""
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
    """Run OpenCode with an empty home, so that no configuration is changed, and return its output."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        folders = dict.fromkeys(("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"), home)
        done = subprocess.run(  # noqa: S603 - the executable is the one that the caller names
            [opencode, *arguments],
            env=os.environ | folders,
            capture_output=True,
            encoding="utf-8",
            timeout=TIMEOUT_SECONDS,
            check=True,
        )
    return done.stdout


def main(arguments: Sequence[str] | None = None) -> None:
    """Refresh the table from a saved document or from an executable."""
    parser = argparse.ArgumentParser(description="Write operations.json of one generation of OpenCode.")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--document", type=Path, help="a saved OpenAPI document")
    source.add_argument("--opencode", help="an executable of OpenCode 1 to ask")
    source.add_argument("--client", action="store_true", help="the installed client of OpenCode 2")
    parser.add_argument("--version", help="the version of OpenCode that wrote the saved document")
    chosen = parser.parse_args(arguments)
    if chosen.document and not chosen.version:
        parser.error("--document needs --version: the document does not say which OpenCode wrote it")
    if chosen.client:
        _write(2, client_document(), opencode.API_VERSION)
        return
    text = chosen.document.read_text(encoding="utf-8") if chosen.document else ask(chosen.opencode, "generate")
    _write(1, json.loads(text), chosen.version or ask(chosen.opencode, "--version").strip())


def _write(generation: int, document: Schema, version: str) -> None:
    file = TABLES[generation]
    file.write_text(table(document, version), encoding="utf-8", newline="\n")
    print(f"{file.parent.name}/{file.name} now describes OpenCode {version}.")


if __name__ == "__main__":
    main()
