"""The bridge answers or ignores messages that no correct client sends, and goes on."""

import pytest

from tests.harness.bridges.rawrpc import Host, OpenRaw, RawClient

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

LEGACY = Host(protocol="2025-11-25")
MODERN = Host(protocol="2026-07-28")
both_eras = pytest.mark.parametrize("speaker", [LEGACY, MODERN], ids=["2025", "2026"])


async def assert_it_still_serves(client: RawClient) -> None:
    tools = (await client.request("tools/list"))["result"]["tools"]
    assert "opencode_run" in {tool["name"] for tool in tools}


NO_MESSAGES = [
    b"no json at all\n",
    b'{"jsonrpc": "2.0", "id": \n',
    b"\xff\xfe\x00\n",
    b"[]\n",
    b"3\n",
    b'{"jsonrpc": "2.0"}\n',
    b'{"jsonrpc": "1.0", "id": 99, "method": "tools/list"}\n',
    b"\n",
    b'{"jsonrpc": "2.0", "id": 98, "result": {}}\n',
]


@both_eras
async def test_a_line_that_is_no_message_stops_nothing(raw_bridge: OpenRaw, speaker: Host) -> None:
    async with raw_bridge(speaker) as client:
        for line in NO_MESSAGES:
            await client.write_bytes(line)
            await assert_it_still_serves(client)


@both_eras
async def test_what_the_bridge_does_not_know_is_an_error_and_no_end(raw_bridge: OpenRaw, speaker: Host) -> None:
    async with raw_bridge(speaker) as client:
        assert "error" in await client.request("no/such/method")
        assert "error" in await client.request("tools/call", {})
        unknown = await client.request("tools/call", {"name": "opencode_nosuch", "arguments": {}})
        assert "error" in unknown or unknown["result"]["isError"]
        wrong = await client.request("tools/call", {"name": "opencode_run", "arguments": {"prompt": 3}})
        assert "`prompt` must be a text" in wrong["result"]["content"][0]["text"]
        await assert_it_still_serves(client)


@both_eras
async def test_cancelling_what_is_not_under_way_is_passed_over(raw_bridge: OpenRaw, speaker: Host) -> None:
    async with raw_bridge(speaker) as client:
        await client.cancel(4711)
        await client.notify("notifications/nosuch")
        await assert_it_still_serves(client)


async def test_a_long_prompt_arrives_whole(raw_bridge: OpenRaw) -> None:
    words = "word " * 200_000
    async with raw_bridge() as client:
        result = await client.call("opencode_run", prompt=f"{words}the end")
    assert not result.get("isError"), result
    assert "You said: word word" in result["content"][0]["text"]
