"""Every line of a host's is read, or answered with an error that names the request where its id can be read."""

import json
import time
from typing import Any, cast

import pytest
from mcp_types import INVALID_PARAMS, INVALID_REQUEST, PARSE_ERROR, JSONRPCRequest, JSONRPCResponse

from opencode_mcp.server.stdio.json_rpc_batches import PROTOCOL, Batches
from opencode_mcp.server.stdio.line_parsing import DEEPEST, LARGEST_BATCH, read_line
from tests.harness.each import for_each

LIMIT = 20.0
"""Seconds: far more than a look at each character takes, and far less than any other."""
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


def request(**changes: object) -> str:
    return json.dumps({**PING, **changes})


def nested(levels: int, opening: str = "[", closing: str = "]") -> str:
    deep = opening * levels + closing * levels
    return f'{{"jsonrpc": "2.0", "id": "deep", "method": "ping", "params": {{"x": {deep}}}}}'


@for_each(
    ("line", "request_id", "code"),
    [
        ("none", None, PARSE_ERROR),
        ('{"jsonrpc": "2.0", "id": 7, "method": "ping"', 7, PARSE_ERROR),
        ('{"id": "a\\"b", "method": "x", "params": [}', 'a"b', PARSE_ERROR),
        ('{"params": {"id": 3}, "id": 4, x}', 4, PARSE_ERROR),
        (request(params={"x": float("nan")}), 1, PARSE_ERROR),
        ("\ufeff" + request(), 1, PARSE_ERROR),
        ('{"jsonrpc": "2.0", "id": 1, "method": "x", "params": {"n": ' + "9" * 5000 + "}}", 1, PARSE_ERROR),
        (nested(3000), "deep", INVALID_REQUEST),
        (nested(DEEPEST - 1), "deep", INVALID_REQUEST),
        (nested(500, '{"a":', "}").replace("{}", '{"a":1}'), "deep", INVALID_REQUEST),
        ("[" * 3000 + "]" * 3000, None, INVALID_REQUEST),
        ("5", None, INVALID_REQUEST),
        ('"text"', None, INVALID_REQUEST),
        ("null", None, INVALID_REQUEST),
        (request(id=None), None, INVALID_REQUEST),
        (request(id=True), None, INVALID_REQUEST),
        (request(id=1.5), None, INVALID_REQUEST),
        (request(id=[1]), None, INVALID_REQUEST),
        (request(jsonrpc="1.0"), 1, INVALID_REQUEST),
        (request(method=5), 1, INVALID_REQUEST),
        (request(method=None), 1, INVALID_REQUEST),
        ('{"jsonrpc": "2.0", "id": 1}', 1, INVALID_REQUEST),
        (request(params="text"), 1, INVALID_PARAMS),
        (request(params=[1]), 1, INVALID_PARAMS),
        (request(params=5), 1, INVALID_PARAMS),
        (request(params={"x": ["\ud83d"]}), 1, INVALID_REQUEST),
        (request(params={"\ud83d": 1}), 1, INVALID_REQUEST),
        (request(method="\udc00"), 1, INVALID_REQUEST),
    ],
)
def test_what_cannot_be_read_is_answered(line: str, request_id: object, code: int) -> None:
    found = read_line(line, batches=False)
    assert not found.messages
    (reply,) = found.replies
    assert (reply.id, reply.error.code) == (request_id, code), reply


@for_each(
    "line",
    [request(), request(params={}), request(params=None), request(id="x"), nested(DEEPEST - 3), request() + "\r"],
)
def test_a_request_is_read(line: str) -> None:
    found = read_line(line, batches=False)
    assert not found.replies
    assert isinstance(found.messages[0], JSONRPCRequest)


@pytest.mark.parametrize("line", ["", " ", "\r", "\t "])
def test_an_empty_line_is_passed_over(line: str) -> None:
    assert read_line(line, batches=False) == read_line("", batches=True)


def test_a_pair_of_surrogates_is_a_character() -> None:
    assert not read_line('{"jsonrpc": "2.0", "id": 1, "method": "\\ud83d\\ude00"}', batches=False).replies


def test_an_answer_with_half_a_pair_is_taken_since_somebody_waits_for_it() -> None:
    found = read_line('{"jsonrpc": "2.0", "id": 1, "result": {"a": "\\ud83d"}}', batches=False)
    assert isinstance(found.messages[0], JSONRPCResponse)
    assert found.messages[0].result == {"a": "\ufffd"}


@pytest.mark.parametrize("line", ['{"jsonrpc": "2.0", "id": 1, "result": 5}', '{"id": 1, "error": 5, x}'])
def test_an_answer_that_cannot_be_read_answers_no_request_of_the_hosts(line: str) -> None:
    assert [reply.id for reply in read_line(line, batches=False).replies] == [None]


@for_each("piece", ['"', '\\"', "[", '{"a":', '{"id":', "a", ":", ",", "\\", '"x",'])
def test_a_long_line_of_any_kind_takes_little_time(piece: str) -> None:
    began = time.process_time()
    assert read_line(piece * (1_000_000 // len(piece)), batches=True).replies
    assert time.process_time() - began < LIMIT


def test_a_text_that_ends_in_a_backslash_is_looked_at_once() -> None:
    began = time.process_time()
    line = '{"id": 7, "' + '\\"' * 500_000 + "\\"
    assert [reply.id for reply in read_line(line, batches=True).replies] == [7]
    assert read_line("[" * 130 + line, batches=True).replies
    assert time.process_time() - began < LIMIT


# Batches


def test_a_batch_is_refused_where_the_protocol_has_none() -> None:
    (reply,) = read_line(f"[{request()}]", batches=False).replies
    assert (reply.id, reply.error.code) == (None, INVALID_REQUEST)


@pytest.mark.parametrize("number", [0, LARGEST_BATCH + 1])
def test_a_batch_of_no_or_too_many_messages_is_refused(number: int) -> None:
    (reply,) = read_line(f"[{', '.join([request()] * number)}]", batches=True).replies
    assert reply.error.code == INVALID_REQUEST


def result(number: int) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "result": {}}


def begun(text: str) -> Batches:
    batches = Batches()
    batches.begin(read_line(text, batches=True))
    return batches


def test_the_answers_to_a_batch_go_out_together() -> None:
    batches = begun(f"[{request()}, {request(id=2)}, 5]")
    assert batches.outgoing(result(2)) == []
    assert batches.outgoing(result(9)) == [result(9)]
    (together,) = batches.outgoing(result(1))
    refused, *answers = cast("list[dict[str, Any]]", together)
    assert refused["error"]["code"] == INVALID_REQUEST
    assert answers == [result(2), result(1)]
    assert batches.outgoing(result(1)) == [result(1)]


def test_a_batch_that_needs_no_answer_gets_none() -> None:
    batches = begun('[{"jsonrpc": "2.0", "method": "notifications/initialized"}]')
    assert list(batches.complete()) == []


def test_a_batch_does_not_wait_for_a_request_that_was_cancelled() -> None:
    batches = begun(f"[{request()}, {request(id=2)}]")
    batches.outgoing(result(1))
    batches.forget(2)
    assert list(batches.complete()) == [[result(1)]]


@pytest.mark.parametrize(("protocol", "allowed"), [(PROTOCOL, True), ("2025-06-18", False), ("2024-11-05", False)])
def test_only_one_protocol_has_batches(protocol: str, allowed: bool) -> None:  # noqa: FBT001
    batches = Batches()
    batches.outgoing({"jsonrpc": "2.0", "id": 1, "result": {"protocolVersion": protocol, "serverInfo": {}}})
    assert batches.allowed is allowed
