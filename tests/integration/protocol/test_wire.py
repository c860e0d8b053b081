"""Messages that are not requests are answered, and the bridge goes on; its own messages are valid in every era."""

import json
from typing import Any

import pytest
from mcp_types import INVALID_PARAMS, INVALID_REQUEST, PARSE_ERROR

from tests.harness.bridges.rawrpc import Host, OpenRaw, RawClient

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


async def answers_to(client: RawClient, line: bytes, request_id: Any) -> int:  # noqa: ANN401 - any JSON
    await client.write_bytes(line + b"\n")
    return (await client.reply(request_id))["error"]["code"]


@pytest.mark.parametrize("protocol", ["2025-11-25", "2026-07-28"])
async def test_every_line_is_answered_and_the_next_request_too(raw_bridge: OpenRaw, protocol: str) -> None:
    deep = b"[" * 3000 + b"]" * 3000
    async with raw_bridge(Host(protocol)) as client:
        assert await answers_to(client, b"none", None) == PARSE_ERROR
        assert await answers_to(client, b'\xef\xbb\xbf{"jsonrpc":"2.0","id":91,"method":"ping"}', 91) == PARSE_ERROR
        line = b'{"jsonrpc":"2.0","id":92,"method":"tools/call","params":{"name":"x","arguments":' + deep + b"}}"
        assert await answers_to(client, line, 92) == INVALID_REQUEST
        assert await answers_to(client, b'{"jsonrpc":"2.0","id":93,"method":"ping","params":"x"}', 93) == INVALID_PARAMS
        assert await answers_to(client, b'{"jsonrpc":"2.0","id":94}', 94) == INVALID_REQUEST
        arguments = b'{"query":"half \\ud83d"}'
        line = (
            b'{"jsonrpc":"2.0","id":95,"method":"tools/call","params":{"name":"opencode_find_operations","arguments":'
        )
        assert await answers_to(client, line + arguments + b"}}", 95) == INVALID_REQUEST
        assert (await client.call("opencode_find_operations", query="session"))["structuredContent"]["operations"]


async def test_a_batch_is_answered_as_one(raw_bridge: OpenRaw) -> None:
    async with raw_bridge(Host("2025-03-26")) as client:
        batch = [
            {"jsonrpc": "2.0", "id": 71, "method": "ping"},
            {"jsonrpc": "2.0", "id": 72, "method": "tools/list"},
            {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 4711}},
            5,
        ]
        await client.write_bytes(json.dumps(batch).encode() + b"\n")
        replies = await client.batch()
        assert {reply["id"] for reply in replies} == {71, 72, None}
        assert (await client.request("ping"))["result"] == {}


async def test_other_protocols_have_no_batches(raw_bridge: OpenRaw) -> None:
    async with raw_bridge(Host("2025-06-18")) as client:
        assert await answers_to(client, b'[{"jsonrpc":"2.0","id":81,"method":"ping"}]', None) == INVALID_REQUEST
