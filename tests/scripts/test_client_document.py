"""The contract of OpenCode 2, read from the installed client."""

import json

import pytest

from scripts.client_document import document
from scripts.openapi_schemas import Schema
from tests.harness.each import for_each


@pytest.fixture(scope="module")
def contract() -> Schema:
    """The document; to make it takes a second."""
    return document()


def operation(contract: Schema, method: str, path: str) -> Schema:
    return contract["paths"][path][method]


def test_names_are_those_of_the_wire_and_not_of_python(contract: Schema) -> None:
    switch = operation(contract, "post", "/api/session/{sessionID}/agent")
    assert switch["operationId"] == "session.switchAgent"
    assert operation(contract, "post", "/api/experimental/session/import")["operationId"] == "session.import"
    parameters = operation(contract, "get", "/api/session/{sessionID}/diff")["parameters"]
    assert [(item["in"], item["name"]) for item in parameters[:3]] == [
        ("path", "sessionID"),
        ("query", "from"),
        ("query", "to"),
    ]


def test_a_prompt_has_the_fields_of_the_contract_and_needs_its_text(contract: Schema) -> None:
    content = operation(contract, "post", "/api/session/{sessionID}/prompt")["requestBody"]["content"]
    body = content["application/json"]["schema"]
    assert {"id", "text", "files", "delivery", "resume"} <= body["properties"].keys()
    assert body["required"] == ["text"]
    assert body["properties"]["id"] == {"type": "string"}


@for_each(
    ("method", "path", "content"),
    [
        ("get", "/api/event", {"text/event-stream": {}}),
        ("get", "/api/fs/read/*", {"application/octet-stream": {}}),
        ("delete", "/api/session/{sessionID}", {}),
    ],
)
def test_a_reply_is_recognised_by_what_the_client_does_with_it(
    method: str, path: str, content: Schema, contract: Schema
) -> None:
    assert operation(contract, method, path)["responses"]["200"]["content"] == content


def test_a_reply_that_the_client_unwraps_is_whole(contract: Schema) -> None:
    content = operation(contract, "get", "/api/session/{sessionID}")["responses"]["200"]["content"]
    data = {"$ref": "#/components/schemas/SessionInfo"}
    assert content["application/json"]["schema"] == {"type": "object", "properties": {"data": data}}


def test_a_page_has_its_cursor(contract: Schema) -> None:
    content = operation(contract, "get", "/api/session")["responses"]["200"]["content"]
    assert content["application/json"]["schema"]["properties"].keys() == {"data", "cursor"}


def test_no_member_for_what_is_unknown_is_left(contract: Schema) -> None:
    assert '"#/components/schemas/Unknown' not in json.dumps(contract)
