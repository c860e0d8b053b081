"""The front answers what the SDK would answer, leaves the rest to it, and nothing is lost or answered twice."""

import json
import logging
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from mcp.server.subscriptions import ResourcesListChanged
from mcp_types import INVALID_REQUEST, PARSE_ERROR

from opencode_mcp.secrets.own_passwords import KnownSecrets
from opencode_mcp.server.app import build_server
from opencode_mcp.server.stdio.front import answered_requests as answered
from tests.harness.operations import operations
from tests.server.stdio.front.early import (
    INITIALIZED,
    LEGACY,
    MODERN,
    NOTHING,
    PROTOCOLS,
    Json,
    connected,
    early_responses,
    first_messages,
    listing,
    opening,
    prepared,
    request,
    responses_of_sdk,
    saved_files,
    settings_in,
)

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot wait for its pipes: the SDK answers"),
]

READ_ONLY = {"read_only": True}
WIDE = {"toolsets": ("all",), "allow": ("execute", "admin")}
NARROW = {"toolsets": ("default", "search"), "deny": ("session.delete", "execute")}
PROGRESS = "progressToken"


def without_order(replies: list[Json]) -> list[str]:
    return sorted(json.dumps(reply, sort_keys=True) for reply in replies)


# Equality


@pytest.mark.parametrize("changes", [{}, READ_ONLY, NARROW, WIDE])
async def test_the_front_answers_as_the_sdk_in_every_protocol_version(
    changes: Json, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_in(tmp_path, **changes)
    server = build_server(settings)
    for protocol in PROTOCOLS:
        messages = first_messages(protocol)
        # Nothing is saved for this protocol version until now.
        expected = await responses_of_sdk(settings, messages, server=server)
        assert all("result" in reply for reply in expected)
        assert await early_responses(settings, messages, server=server) == expected, protocol
    assert len(saved_files(settings)) == 2 * len(PROTOCOLS)
    assert "out of date" not in caplog.text


async def test_the_front_answers_as_the_sdk_with_every_toolset(tmp_path: Path) -> None:
    groups = ["minimal", *sorted({operation.group for operation in operations().values()})]
    listed: set[str] = set()
    for group in groups:
        settings = settings_in(tmp_path, toolsets=(group,))
        server = build_server(settings)
        for protocol in (LEGACY, MODERN):
            expected = await responses_of_sdk(settings, first_messages(protocol), server=server)
            assert await early_responses(settings, first_messages(protocol), server=server) == expected, group
            listed.add(json.dumps(expected[1]))
    assert len(listed) == 2 * len(groups) > 20


@pytest.mark.parametrize("request_id", [0, -5, 2**60, "", "text", "é\u2028", "front-1"])
async def test_a_response_has_the_id_of_its_request(request_id: object, tmp_path: Path) -> None:
    settings = await prepared(tmp_path)
    replies = await early_responses(settings, [opening(request_id=request_id)])
    assert [reply["id"] for reply in replies] == [request_id]


async def test_another_name_of_the_host_changes_nothing(tmp_path: Path) -> None:
    settings = await prepared(tmp_path)
    messages = [opening(clientInfo={"name": "another", "version": "9"}, _meta={PROGRESS: 5}), INITIALIZED, listing()]
    expected = await responses_of_sdk(settings_in(tmp_path / "fresh"), messages)
    without_meta = [opening(clientInfo={"name": "another", "version": "9"}), *messages[1:]]
    assert await early_responses(settings, without_meta) == expected


async def test_a_request_that_the_sdk_refuses_is_refused_as_before(tmp_path: Path) -> None:
    settings = await prepared(tmp_path)
    changes: list[Json] = [{"capabilities": 5}, {"clientInfo": {"name": "x"}}, {"protocolVersion": 7}]
    for changed in changes:
        message = opening()
        message["params"] |= changed
        expected = await responses_of_sdk(settings_in(tmp_path / "fresh"), [message])
        assert "error" in expected[0]
        assert await responses_of_sdk(settings, [message]) == expected


# Nothing is lost, and nothing is answered twice


@pytest.mark.parametrize("protocol", [LEGACY, MODERN])
async def test_hundreds_of_requests_before_the_sdk_is_imported_are_answered_once_each(
    protocol: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = await prepared(tmp_path, protocol)
    meta = listing(protocol).get("params")
    more = [request(number, (*NOTHING, "ping", "tools/list")[number % 4], meta) for number in range(10, 310)]
    async with connected(settings) as connection:
        await connection.send(*first_messages(protocol))
        early = await connection.received(2)
        await connection.send(*more[:150])
        connection.load()
        await connection.send(*more[150:])
        replies = [*early, *await connection.received(len(more))]
        await connection.send(request("last", *NOTHING[:1], meta))
        assert (await connection.receive())["id"] == "last"
    assert [reply["id"] for reply in early] == [1, 2]
    assert Counter(reply["id"] for reply in replies) == Counter([1, 2, *range(10, 310)])
    expected = await responses_of_sdk(settings_in(tmp_path / "fresh"), [*first_messages(protocol), *more])
    assert without_order(replies) == without_order(expected)
    assert "out of date" not in caplog.text


async def test_requests_are_understood_however_they_are_cut(tmp_path: Path) -> None:
    settings = await prepared(tmp_path)
    data = b"\r\n".join(json.dumps(message).encode() for message in first_messages()) + b"\n"
    async with connected(settings) as connection:
        for number in range(len(data)):
            await connection.send_bytes(data[number : number + 1])
            await anyio.lowlevel.checkpoint()
        assert [reply["id"] for reply in await connection.received(2)] == [1, 2]
        rest = json.dumps(request(3, "prompts/list")).encode()
        await connection.send_bytes(rest[:20])
        connection.load()
        await connection.send_bytes(rest[20:] + b"\n")
        assert (await connection.receive())["id"] == 3


async def test_only_the_first_list_of_tools_comes_from_the_front(tmp_path: Path) -> None:
    settings = await prepared(tmp_path)
    async with connected(settings) as connection:
        await connection.send(*first_messages(), listing(request_id=3))
        first = (await connection.received(2))[1]
        assert await connection.is_silent()
        connection.load()
        assert await connection.receive() == first | {"id": 3}


async def test_a_cancelled_request_and_an_id_that_is_used_again_are_harmless(tmp_path: Path) -> None:
    settings = await prepared(tmp_path)
    cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2}}
    async with connected(settings) as connection:
        await connection.send(*first_messages(), cancelled)
        tools = (await connection.received(2))[1]["result"]
        await connection.send(request(2, "prompts/list"), request(1, "ping"))
        assert (await connection.receive())["result"] == {}
        connection.load()
        assert "prompts" in (await connection.receive())["result"]
        await connection.send(cancelled, listing())
        assert (await connection.receive())["result"] == tools


async def test_the_server_has_the_state_of_the_answered_handshake(tmp_path: Path) -> None:
    settings = await prepared(tmp_path)
    async with connected(settings) as connection:
        await connection.send(*first_messages())
        await connection.received(2)
        connection.load()
        await connection.send(request(3, "resources/subscribe", {"uri": "opencode://session/ses_1/transcript"}))
        await connection.receive()
        await connection.server.bridge.subscriptions.notify(ResourcesListChanged())
        assert (await connection.receive())["method"] == "notifications/resources/list_changed"


async def test_a_batch_after_an_early_handshake_is_answered_as_one(tmp_path: Path) -> None:
    protocol = "2025-03-26"
    settings = await prepared(tmp_path, protocol)
    async with connected(settings) as connection:
        await connection.send(opening(protocol))
        await connection.receive()
        await connection.send([request(5, "ping"), request(6, "prompts/list")])
        connection.load()
        assert {reply["id"] for reply in await connection.receive()} == {5, 6}


# What waits for the SDK


DEEP = b'{"a":' + b"[" * 9000 + b"]" * 9000 + b"}"
UNUSUAL: dict[str, tuple[bytes, int | None]] = {
    "not JSON": (b"none", PARSE_ERROR),
    "a batch": (b'[{"jsonrpc":"2.0","id":50,"method":"ping"}]', INVALID_REQUEST),
    "a byte-order mark": (b'\xef\xbb\xbf{"jsonrpc":"2.0","id":50,"method":"ping"}', PARSE_ERROR),
    "another encoding": ('{"jsonrpc":"2.0","id":50,"method":"ping"}'.encode("utf-16-le"), PARSE_ERROR),
    "half a surrogate pair": (
        b'{"jsonrpc":"2.0","id":50,"method":"tools/list","params":{"a":"\\ud83d"}}',
        INVALID_REQUEST,
    ),
    "no JSON number": (b'{"jsonrpc":"2.0","id":50,"method":"tools/list","params":{"a":NaN}}', PARSE_ERROR),
    "deep nesting": (
        b'{"jsonrpc":"2.0","id":50,"method":"ping","params":{"a":' + b"[" * 9000 + b"]" * 9000 + b"}}",
        INVALID_REQUEST,
    ),
    "another version of JSON-RPC": (b'{"jsonrpc":"1.0","id":50,"method":"tools/list"}', INVALID_REQUEST),
    "an id of another kind": (b'{"jsonrpc":"2.0","id":true,"method":"tools/list"}', INVALID_REQUEST),
    "parameters of another kind": (b'{"jsonrpc":"2.0","id":50,"method":"tools/list","params":[]}', None),
    "a long line": (b'{"jsonrpc":"2.0","id":50,"method":"ping","params":{"a":"' + b"x" * 60_000 + b'"}}', None),
    "a second handshake": (json.dumps(opening(request_id=50)).encode(), None),
    "a field that JSON-RPC does not have": (b'{"jsonrpc":"2.0","id":50,"method":"ping","x":1}', None),
}


async def test_after_an_unusual_line_the_front_answers_nothing_more(tmp_path: Path) -> None:
    settings = await prepared(tmp_path)
    for name, (line, code) in UNUSUAL.items():
        async with connected(settings) as connection:
            await connection.send(opening())
            early = await connection.receive()
            await connection.send_bytes(line + b"\n")
            await connection.send(listing())
            connection.load()
            replies = await connection.received(2)
        assert early["id"] == 1
        errors = [reply["error"]["code"] for reply in replies if "error" in reply]
        assert code is None or errors == [code], name
        assert 2 in [reply["id"] for reply in replies], name


@pytest.mark.parametrize(
    "first",
    [
        request(1, "ping"),
        listing(),
        request(1, "server/discover"),
        request(1, "no/such/method"),
        opening(MODERN) | {"method": "ping"},
    ],
)
async def test_a_connection_that_begins_differently_is_the_sdks(first: Json, tmp_path: Path) -> None:
    settings = await prepared(tmp_path)
    messages = [first, opening(request_id=7), listing(request_id=8)]
    expected = await responses_of_sdk(settings_in(tmp_path / "fresh"), messages)
    assert without_order(await responses_of_sdk(settings, messages)) == without_order(expected)


async def test_an_envelope_of_the_other_era_is_refused_as_before(tmp_path: Path) -> None:
    settings = await prepared(tmp_path)
    async with connected(settings) as connection:
        await connection.send(opening(), INITIALIZED, listing(MODERN))
        await connection.receive()
        assert await connection.is_silent()
        connection.load()
        assert (await connection.receive())["error"]["code"] == INVALID_REQUEST


# Saved responses


async def test_without_saved_responses_the_sdk_answers_and_they_are_saved(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    await responses_of_sdk(settings, first_messages())
    files = saved_files(settings)
    assert [file.name.split("-")[0] for file in files] == ["initialize", "tools"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


async def test_a_response_to_other_settings_is_not_used(tmp_path: Path) -> None:
    settings = await prepared(tmp_path)
    changed = replace(settings, read_only=True)
    fresh = await responses_of_sdk(settings_in(tmp_path / "fresh", read_only=True), first_messages())
    assert await responses_of_sdk(changed, first_messages()) == fresh
    assert await early_responses(changed, first_messages()) == fresh


async def test_a_response_from_another_fingerprint_is_not_used(tmp_path: Path) -> None:
    settings = await prepared(tmp_path)
    before = saved_files(settings)
    async with connected(settings, fingerprint="another version") as connection:
        connection.load()
        await connection.send(*first_messages())
        await connection.received(2)
    assert len(saved_files(settings)) == len(before) + 2


async def test_a_damaged_response_never_reaches_the_host(tmp_path: Path) -> None:
    settings = await prepared(tmp_path)
    expected = await responses_of_sdk(settings, first_messages())
    for file in saved_files(settings):
        content = file.read_text()
        file.write_text(content.replace("OpenCode", "0penCode"))
    assert await responses_of_sdk(settings, first_messages()) == expected
    assert await early_responses(settings, first_messages()) == expected


async def test_a_response_that_the_sdk_does_not_confirm_is_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_in(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("opencode_mcp.server.instructions.TEXT", "Instructions of yesterday.\n")
        await responses_of_sdk(settings, first_messages())
    async with connected(settings) as connection:
        await connection.send(*first_messages())
        early = await connection.received(2)
        connection.load()
        await connection.send(request(3, "prompts/list"))
        assert (await connection.receive())["id"] == 3
    assert early[0]["result"]["instructions"] == "Instructions of yesterday.\n"
    assert "out of date: initialize" in caplog.text
    fresh = await responses_of_sdk(settings_in(tmp_path / "fresh"), first_messages())
    assert await early_responses(settings, first_messages()) == fresh


async def test_a_response_that_holds_a_secret_is_not_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = KnownSecrets()
    secrets.add("opencode_run")
    monkeypatch.setattr(answered, "KNOWN_SECRETS", secrets)
    settings = settings_in(tmp_path)
    assert len(await responses_of_sdk(settings, first_messages())) == 2
    assert not (settings.state_directory / "responses").exists()


async def test_a_state_folder_that_cannot_be_written_costs_only_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    settings = settings_in(tmp_path)
    settings.state_directory.write_text("a file")
    assert len(await responses_of_sdk(settings, first_messages())) == 2
    assert "the next start will be slower" in caplog.text


# Hosts that read late, or end


async def test_a_host_that_reads_late_holds_up_nothing_but_its_responses(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, **WIDE)
    expected = await responses_of_sdk(settings, first_messages())
    assert len(json.dumps(expected)) > 2 * 65536
    async with connected(settings) as connection:
        await connection.send(*first_messages())
        connection.load()
        await connection.send(request(3, "ping"))
        *early, last = await connection.received(3)
    assert early == expected
    assert last["id"] == 3


async def test_a_host_that_closes_its_end_at_once_gets_what_was_asked(tmp_path: Path) -> None:
    settings = await prepared(tmp_path)
    async with connected(settings) as connection:
        await connection.send(*first_messages())
        connection.hang_up()
        assert [reply["id"] for reply in await connection.received(2)] == [1, 2]


async def test_a_host_that_says_nothing_ends_the_server(tmp_path: Path) -> None:
    async with connected(settings_in(tmp_path)) as connection:
        connection.hang_up()


async def test_a_host_that_does_not_listen_any_more_ends_the_server_as_before(tmp_path: Path) -> None:
    settings = await prepared(tmp_path)
    async with connected(settings) as connection:
        connection.listen_no_more()
        await connection.send(*first_messages())
        connection.load()
