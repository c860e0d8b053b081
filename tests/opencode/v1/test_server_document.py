"""The check reports the differences between this server and the table, and nothing else."""

import copy
from typing import Any

import pytest

from opencode_mcp.errors import UnsupportedOperation
from opencode_mcp.opencode.any_operation import DOCUMENT, OperationCalls
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.opencode.http_client.transport import Transport
from opencode_mcp.opencode.v1.server_document import Differences, differences
from tests.harness.operations import operation
from tests.harness.servers.http import ask
from tests.harness.servers.opencode import OpenCode

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

Json = dict[str, Any]


@pytest.fixture(scope="module")
def document(opencode_server: OpenCode) -> Json:
    """The real document, as this server gives it."""
    auth = ("opencode", opencode_server.password)
    return ask("GET", f"{opencode_server.url}/doc", auth=auth).raise_for_status().json()


@pytest.fixture
def changed(document: Json) -> Json:
    """A copy for the test to change."""
    return copy.deepcopy(document)


def body_of(document: Json, path: str, method: str) -> Json:
    return document["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]


def test_the_server_that_the_table_was_made_from_does_not_differ(document: Json) -> None:
    assert differences(document) == Differences()


def test_an_operation_that_the_server_lacks_is_refused(changed: Json) -> None:
    del changed["paths"]["/session/{sessionID}"]["patch"]
    with pytest.raises(UnsupportedOperation, match=r"This OpenCode has no session\.update"):
        differences(changed).check(operation("session.update"))
    assert differences(changed).check(operation("session.get")) == ""


def test_a_document_of_a_version_that_lists_few_operations_says_nothing(changed: Json) -> None:
    changed["paths"] = {path: entry for path, entry in changed["paths"].items() if path.startswith("/tui")}
    assert differences(changed) == Differences()


def test_a_further_argument_is_said(changed: Json) -> None:
    body_of(changed, "/session", "post")["properties"]["colour"] = {"type": "string"}
    assert differences(changed).check(operation("session.create")).endswith("it also takes `colour`.")


def test_an_argument_that_is_gone_and_one_that_is_needed_now_are_said(changed: Json) -> None:
    parameters: list[Json] = changed["paths"]["/find/file"]["get"]["parameters"]
    parameters[:] = [item for item in parameters if item["name"] != "dirs"]
    next(item for item in parameters if item["name"] == "limit")["required"] = True
    assert differences(changed).check(operation("find.files")).endswith("it does not take `dirs`; it needs `limit`.")


@pytest.mark.parametrize("strange", [{}, {"paths": []}, [], None, "text", {"paths": {"/session": None}}])
def test_a_strange_document_lacks_everything_and_breaks_nothing(strange: object) -> None:
    assert "session.create" in differences(strange).missing


class FixedReply(Transport):
    """A sender that gives another document than the server does, and counts how often it is asked for."""

    def __init__(self, endpoint: Endpoint, body: bytes, media_type: str = "application/json") -> None:
        super().__init__(endpoint)
        self.asked = 0
        self._body = body
        self._media_type = media_type

    async def send(self, request: Any, *, timeout: float = 30, queued: bool = True) -> Any:  # noqa: ANN401, D102 - the base class's
        from opencode_mcp.opencode.http_client.codec import Reply

        if request != DOCUMENT:
            return await super().send(request, timeout=timeout, queued=queued)
        self.asked += 1
        return Reply(status=200, headers={"content-type": self._media_type}, body=self._body)


class To:
    """A connection to one sender."""

    def __init__(self, sender: Transport) -> None:
        self.sender = sender

    async def transport(self) -> Transport:
        """The sender."""
        return self.sender


def calls_through(sender: Transport) -> OperationCalls:
    return OperationCalls(To(sender))  # pyright: ignore[reportArgumentType] - all of it that is asked for here


@pytest.mark.parametrize(("body", "media_type"), [(b"<html>", "text/html"), (b"{", "application/json")])
async def test_a_server_without_a_document_is_taken_as_it_is(body: bytes, media_type: str) -> None:
    sender = FixedReply(Endpoint(url="http://127.0.0.1:9"), body, media_type)
    calls = calls_through(sender)
    await calls.learn()
    assert calls.check(operation("session.get")) == ""


async def test_a_server_is_asked_for_its_document_once() -> None:
    sender = FixedReply(Endpoint(url="http://127.0.0.1:9"), b'{"paths": {}}')
    calls = calls_through(sender)
    for _ in range(3):
        await calls.learn()
        with pytest.raises(UnsupportedOperation):
            calls.check(operation("session.get"))
    assert sender.asked == 1


async def test_a_server_of_the_tables_version_is_not_asked_for_its_document(opencode_server: OpenCode) -> None:
    sender = FixedReply(Endpoint(url=opencode_server.url, password=opencode_server.password), b'{"paths": {}}')
    calls = calls_through(sender)
    await calls.learn()
    assert calls.check(operation("session.get")) == ""
    assert sender.asked == 0
    await sender.aclose()


async def test_before_the_document_was_read_nothing_is_refused() -> None:
    assert calls_through(FixedReply(Endpoint(url="http://127.0.0.1:9"), b"{}")).check(operation("session.get")) == ""
