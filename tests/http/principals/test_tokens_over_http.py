"""Requests with and without a token, and changes of the settings file while a bridge serves. No OpenCode is needed."""

import json
import os
from collections.abc import Iterator, Mapping

import anyio
import httpx
import pytest

from tests.harness.bridges.bridge import connected
from tests.harness.bridges.rawrpc import Host as Client
from tests.harness.bridges.served import Served, serving
from tests.harness.servers.http import loopback_client
from tests.harness.waiting import eventually
from tests.http.operator import HEADERS, STREAM, Operator, listed, names

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def served(operator: Operator, laptop: str) -> Iterator[Served]:
    assert laptop
    with serving(operator.launch, "--log-level", "DEBUG") as bridge:
        yield bridge


async def test_a_request_needs_a_token(served: Served, laptop: str) -> None:
    refused = await listed(served)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == 'Bearer realm="opencode-mcp"'
    assert "opencode_run" in names(await listed(served, laptop))


@pytest.mark.parametrize(
    "given",
    [{"Authorization": "Basic x"}, {"Authorization": "Bearer"}, {"Authorization": ""}, {"X-Token": "TOKEN"}],
)
async def test_a_token_elsewhere_does_not_count(served: Served, laptop: str, given: Mapping[str, str]) -> None:
    more = {name: value.replace("TOKEN", laptop) for name, value in given.items()}
    assert (await listed(served, **more)).status_code == 401


async def test_a_token_in_a_url_is_refused_even_if_it_is_right(served: Served, laptop: str) -> None:
    for name in ("access_token", "access%5Ftoken", "%54oken"):
        assert (await listed(served, laptop, f"/mcp?{name}={laptop}")).status_code == 400
    assert laptop not in served.launch.printed()


async def test_liveness_needs_no_token(served: Served) -> None:
    async with loopback_client(served.base) as http:
        assert [(await http.get(path)).text for path in ("/healthz", "/readyz")] == ["ok", "ok"]


async def test_each_principal_has_the_tools_that_it_may_use(served: Served, operator: Operator, laptop: str) -> None:
    reader = operator.principal("reader", "--read-only")
    assert "opencode_run" not in names(await listed(served, reader))
    assert "opencode_run" in names(await listed(served, laptop))


async def test_a_wrong_file_changes_nothing(served: Served, operator: Operator, laptop: str) -> None:
    right = operator.settings.read_bytes()
    operator.settings.write_bytes(right + b"broken")
    assert (await listed(served, laptop)).status_code == 200
    assert "the principals stay as they were" in served.launch.printed()
    operator.settings.write_bytes(right)
    assert (await listed(served, laptop)).status_code == 200


async def test_a_token_that_is_replaced_or_revoked_ends_at_once_with_its_open_streams(
    served: Served, operator: Operator
) -> None:
    first = operator.principal("moving")
    headers = HEADERS | {"Authorization": f"Bearer {first}", "Mcp-Method": "subscriptions/listen"}
    async with (
        loopback_client(served.base) as http,
        http.stream("POST", "/mcp", json=STREAM, headers=headers) as stream,
    ):
        assert stream.status_code == 200
        second = await anyio.to_thread.run_sync(operator.token, "rotate", "moving")
        with anyio.fail_after(20):
            seen = await stream.aread()
    assert seen.startswith(b"event: message")
    assert b"The token of this request does not exist any more" in seen.splitlines()[-2]
    assert (await listed(served, first)).status_code == 401
    assert (await listed(served, second)).status_code == 200
    operator.token("revoke", "moving")
    assert (await listed(served, second)).status_code == 401


async def opened_session(http: httpx.AsyncClient, token: str) -> dict[str, str]:
    """Open a session of the 2025 era, and return the headers of its requests without the token."""
    client = Client()
    params = {"protocolVersion": client.protocol, "capabilities": {}, "clientInfo": client.info}
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    opened = await http.post("/mcp", json=hello, headers={"Authorization": f"Bearer {token}"})
    assert opened.status_code == 200
    return {"Mcp-Session-Id": opened.headers["mcp-session-id"], "MCP-Protocol-Version": client.protocol}


async def pinged(http: httpx.AsyncClient, session: Mapping[str, str], token: str) -> int:
    """Send a ping in a session, and return the status of the response."""
    ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    sent = await http.post("/mcp", json=ping, headers={**session, "Authorization": f"Bearer {token}"})
    return sent.status_code


async def test_the_sessions_of_a_replaced_token_end(served: Served, operator: Operator) -> None:
    first = operator.principal("renewed")
    async with loopback_client(served.base, headers={"Accept": HEADERS["Accept"]}) as http:
        session = await opened_session(http, first)
        second = await anyio.to_thread.run_sync(operator.token, "rotate", "renewed")
        assert await pinged(http, session, second) == 404
        assert await pinged(http, await opened_session(http, second), second) == 200


async def test_a_session_of_one_principal_does_not_exist_for_another(
    served: Served, operator: Operator, laptop: str
) -> None:
    other = operator.principal("other")
    async with loopback_client(served.base, headers={"Accept": HEADERS["Accept"]}) as http:
        session = await opened_session(http, laptop)
        answers = [await pinged(http, session, token) for token in (other, laptop)]
    assert answers == [404, 200]


async def test_wrong_tokens_are_limited_and_a_right_one_is_always_accepted(served: Served, laptop: str) -> None:
    async def refused() -> bool:
        return (await listed(served, "ocmcp_wrong")).status_code == 429

    await eventually(refused)
    limited = await listed(served, "ocmcp_wrong")
    assert 0 < int(limited.headers["retry-after"]) <= 60
    assert (await listed(served, laptop)).status_code == 200
    assert "ocmcp_wrong" not in served.launch.printed()


async def test_each_request_is_a_line_of_json_in_the_log(served: Served, laptop: str) -> None:
    await listed(served, laptop)
    entries = [json.loads(line) for line in served.launch.printed().splitlines() if line.startswith('{"log": "access"')]
    entry = next(entry for entry in reversed(entries) if entry["method"] == "tools/list")
    assert (entry["principal"], entry["outcome"]) == ("laptop", "ok")
    assert entry["seconds"] >= 0


async def test_a_refused_write_is_in_the_audit_log(served: Served, operator: Operator) -> None:
    reader = operator.principal("watcher", "--read-only")
    async with connected(served.url, served.launch, token=reader) as bridge:
        await bridge.call("opencode_run", prompt="secret words")
        await bridge.call("opencode_" + 1000 * "x")
    log = served.launch.printed()
    audit = [json.loads(line) for line in log.splitlines() if line.startswith('{"log": "audit"')]
    (entry,) = [entry for entry in audit if entry["principal"] == "watcher"]
    assert (entry["tool"], entry["outcome"], entry["refused_by"]) == ("opencode_run", "refused", "--read-only")
    assert "allowed_by" not in entry
    assert "secret words" not in log


async def test_no_token_is_in_the_log(served: Served, operator: Operator, laptop: str) -> None:
    await listed(served, laptop)
    assert laptop not in served.launch.printed()
    assert "ocmcp_" not in served.launch.printed()
    assert os.environ.get("OPENCODE_MCP_CONFIG") != str(operator.settings)
