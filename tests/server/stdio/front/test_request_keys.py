"""Keys of requests: equal where the responses must be equal, and none where only the SDK can answer."""

from typing import Any

import pytest

from opencode_mcp.server.stdio.front.request_keys import NO_KEY, RequestKeys, is_readable
from tests.harness.each import for_each
from tests.server.stdio.front.early import INITIALIZED, LEGACY, MODERN, Json, listing, opening, request

ENVELOPE = "io.modelcontextprotocol/"


def keys(*messages: Json, fingerprint: str = "c") -> list[str]:
    connection = RequestKeys(fingerprint)
    return [connection.key_of(message) for message in messages]


def with_meta(message: Json, **fields: Any) -> Json:  # noqa: ANN401 - any JSON
    params = message.get("params", {})
    return message | {"params": params | {"_meta": params.get("_meta", {}) | fields}}


@for_each("protocol", [LEGACY, MODERN])
def test_the_first_requests_have_keys(protocol: str) -> None:
    first, between, second = keys(opening(protocol), INITIALIZED, listing(protocol))
    assert first.startswith("server-discover-" if protocol == MODERN else "initialize-")
    assert between == NO_KEY
    assert second.startswith("tools-list-")


@for_each(
    "changed",
    [
        opening(request_id="other"),
        opening(clientInfo={"name": "other", "version": "2"}),
    ],
)
def test_what_cannot_change_a_response_does_not_change_its_key(changed: Json) -> None:
    assert keys(changed, listing()) == keys(opening(), listing())


@for_each("field", ["progressToken", "traceparent", "tracestate", "baggage"])
def test_identifiers_that_change_with_each_start_do_not_change_a_key(field: str) -> None:
    for first, second in ((opening(), listing()), (opening(MODERN), listing(MODERN))):
        one, other = (keys(first, with_meta(second, **{field: value})) for value in ("1", "2"))
        assert one == other
        assert NO_KEY not in one


@for_each(
    "changed",
    [
        opening("2025-06-18"),
        opening(capabilities={}),
        opening(capabilities={"elicitation": {}, "roots": {"listChanged": False}}),
        opening(clientInfo={"name": "raw-host", "version": 1}),
        opening(clientInfo={"name": "raw-host"}),
        opening(clientInfo={"name": "raw-host", "version": "1.0", "title": "x"}),
        opening(clientInfo=None),
        opening(more=1),
        with_meta(opening(), progressToken=[]),
        with_meta(opening(), other=1),
    ],
)
def test_all_else_changes_the_keys_of_both_requests(changed: Json) -> None:
    for one, other in zip(keys(changed, listing()), keys(opening(), listing()), strict=True):
        assert NO_KEY != one != other != NO_KEY


def test_numbers_and_booleans_that_python_takes_for_equal_have_keys_of_their_own() -> None:
    assert len({keys(opening(more=value))[0] for value in (1, 1.0, True, "1")}) == 4


def test_the_fingerprint_changes_each_key() -> None:
    assert not set(keys(opening(), listing())) & set(keys(opening(), listing(), fingerprint="d"))


@for_each(
    "messages",
    [
        [request(1, "ping"), opening()],
        [listing(), opening()],
        [request(1, "server/discover"), opening()],
        [opening(), opening(), listing()],
        [opening(), listing(MODERN)],
        [opening(MODERN), listing()],
        [opening(), request(2, "prompts/list")],
        [opening(more=float("nan"))],
        [opening(more=float("inf"))],
        [opening(more="\ud83d")],
    ],
)
def test_only_the_sdk_answers_all_else(messages: list[Json]) -> None:
    assert keys(*messages)[-1] == NO_KEY


def test_a_second_list_of_tools_has_no_key() -> None:
    assert keys(opening(), listing(), listing())[2] == NO_KEY


@for_each("protocol", [LEGACY, MODERN])
def test_a_ping_is_answered_in_an_open_connection_of_the_legacy_era_alone(protocol: str) -> None:
    connection = RequestKeys("c")
    ping = request(5, "ping")
    assert not connection.allows_ping(ping)
    connection.key_of(opening(protocol))
    assert connection.allows_ping(ping) == (protocol == LEGACY)
    assert not connection.allows_ping(with_meta(ping, x=1))
    assert not connection.allows_ping({"jsonrpc": "2.0", "method": "ping"})


PING = request(1, "ping")
FRAMES: list[object] = [
    None,
    5,
    [],
    {},
    {**PING, "id": None},
    {**PING, "id": 1.5},
    {**PING, "id": [1]},
    {**PING, "id": True},
    {**PING, "params": None},
    {**PING, "params": [1]},
    {**PING, "params": "x"},
    {**PING, "method": 5},
    {**PING, "jsonrpc": 2},
    {**PING, "more": 1},
    {"jsonrpc": "2.0", "id": 1, "result": {}},
]


@for_each("value", FRAMES)
def test_an_unusual_frame_is_not_read(value: object) -> None:
    assert not is_readable(value)


@pytest.mark.parametrize("message", [opening(), listing(), INITIALIZED, request("x", "any/method")])
def test_a_usual_frame_is_read(message: Json) -> None:
    assert is_readable(message)
