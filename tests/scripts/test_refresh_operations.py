"""Rows of the operation table, made from a document."""

import json
from pathlib import Path

import pytest

from scripts import refresh_operations
from scripts.openapi_schemas import Schema
from scripts.refresh_operations import main, row

TEXT: Schema = {"type": "string"}
DONE: Schema = {"204": {"description": "Done"}}


def in_query(name: str, *, required: bool = False) -> Schema:
    return {"name": name, "in": "query", "required": required, "schema": TEXT}


def operation(**fields: object) -> Schema:
    plain: Schema = {"operationId": "thing.do", "parameters": [], "responses": DONE}
    return plain | fields


def test_what_an_operation_lacks_is_left_out() -> None:
    expected = {"id": "thing.do", "method": "GET", "path": "/thing", "scope": "none", "reply": "(empty)"}
    assert row("get", "/thing", operation(), {}) == expected


def test_no_sentence_of_the_document_is_copied() -> None:
    prose = {"summary": "Theirs", "description": "Theirs"}
    field = {"type": "string", "title": "Theirs", "description": "Theirs"}
    described = {"type": "object", "properties": {"a": field}, "description": "Theirs"}
    parameter = in_query("x") | prose | {"schema": {"type": "string", "description": "Theirs"}}
    body = {"content": {"application/json": {"schema": described}}}
    made = row("post", "/thing", operation(parameters=[parameter], requestBody=body, **prose), {})
    assert "Theirs" not in json.dumps(made)


def test_the_project_parameters_become_one_word() -> None:
    made = row("get", "/thing", operation(parameters=[in_query("directory"), in_query("workspace"), in_query("x")]), {})
    assert made["scope"] == "directory"
    assert [parameter["name"] for parameter in made["parameters"]] == ["x"]


@pytest.mark.parametrize("names", [["location"], ["location[directory]", "location[workspace]"]])
def test_a_deep_object_location_is_another_word(names: list[str]) -> None:
    made = row("get", "/thing", operation(parameters=[in_query(name) for name in names]), {})
    assert made["scope"] == "location"
    assert "parameters" not in made


def test_a_location_without_a_workspace_is_a_third_word() -> None:
    made = row("get", "/thing", operation(parameters=[in_query("location[directory]")]), {})
    assert made["scope"] == "location[directory]"
    assert "parameters" not in made


def test_a_directory_without_a_workspace_is_an_argument_of_the_operation() -> None:
    made = row("get", "/thing", operation(parameters=[in_query("directory")]), {})
    assert made["scope"] == "none"
    assert [parameter["name"] for parameter in made["parameters"]] == ["directory"]


def test_a_body_of_bytes_is_a_required_text() -> None:
    made = row("post", "/thing", operation(requestBody={"content": {"application/octet-stream": {}}}), {})
    assert (made["body"], made["body_required"]) == ({"type": "string"}, True)
    assert made["body_type"] == "application/octet-stream"


def test_the_rest_of_a_path_becomes_a_parameter() -> None:
    made = row("get", "/thing/*", operation(), {})
    assert made["path"] == "/thing/{path}"
    assert made["parameters"][0]["location"] == "path"
    assert made["parameters"][0]["required"] is True


@pytest.mark.parametrize(
    ("schema", "required"),
    [
        ({"type": "object", "properties": {"a": TEXT}}, False),
        ({"type": "object", "properties": {"a": TEXT}, "required": ["a"]}, True),
        ({"type": "object", "additionalProperties": TEXT}, True),
        ({}, True),
    ],
)
def test_a_body_is_required_unless_an_empty_object_will_do(schema: Schema, *, required: bool) -> None:
    made = row("post", "/thing", operation(requestBody={"content": {"application/json": {"schema": schema}}}), {})
    assert made["body_required"] is required


@pytest.mark.parametrize(
    ("media", "reply", "streams"),
    [
        ("text/event-stream", "event stream", True),
        ("text/x-diff; charset=utf-8", "text", False),
        ("application/octet-stream", "bytes", False),
        ("application/json", "string", False),
    ],
)
def test_a_reply_is_recognised_by_its_media_type(media: str, reply: str, *, streams: bool) -> None:
    made = row("get", "/thing", operation(responses={"200": {"content": {media: {"schema": TEXT}}}}), {})
    assert made["reply"] == reply
    assert made.get("streams", False) is streams


def test_a_websocket_is_recognised_by_its_description() -> None:
    assert row("get", "/thing", operation(description="Establish a WebSocket connection."), {})["streams"] is True


def test_the_table_is_sorted_and_says_whose_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = tmp_path / "document.json"
    paths = {"/b": {"get": operation(operationId="b.get")}, "/a": {"put": operation(operationId="a.put")}}
    document.write_text(json.dumps({"paths": paths, "components": {"schemas": {}}}), encoding="utf-8")
    monkeypatch.setitem(refresh_operations.TABLES, 1, tmp_path / "operations.json")
    main(["--document", str(document), "--version", "9.9"])
    written = json.loads((tmp_path / "operations.json").read_text(encoding="utf-8"))
    assert written["opencode"] == "9.9"
    assert [item["id"] for item in written["operations"]] == ["a.put", "b.get"]


def test_the_table_of_opencode_2_comes_from_the_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(refresh_operations.TABLES, 2, tmp_path / "operations.json")
    main(["--client"])
    written = json.loads((tmp_path / "operations.json").read_text(encoding="utf-8"))
    assert written["opencode"].startswith("2.")
    assert len(written["operations"]) > 100


def test_a_saved_document_needs_a_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--document", str(tmp_path / "document.json")])
    assert "needs --version" in capsys.readouterr().err
