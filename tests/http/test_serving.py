"""MCP over HTTP as clients have it: both eras, broken connections, the end of the bridge, and who may connect."""

import json
import signal
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import anyio
import httpx
import httpx2
import pytest

from tests.harness.bridges.bridge import Era, connected
from tests.harness.bridges.launch import Launch, attaching
from tests.harness.bridges.rawrpc import Host as Client
from tests.harness.bridges.served import Served, serving
from tests.harness.project import make_project
from tests.harness.servers.http import ask, loopback_client
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.http.operator import HEADERS, LIST, STREAM
from tests.integration.host import Host, meanwhile
from tests.scripted_model.script import hold, script, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


@pytest.fixture(scope="module")
def module_launch(
    tmp_path_factory: pytest.TempPathFactory, scripted_model: ScriptedModel, opencode1: OpenCode
) -> Launch:
    folder = tmp_path_factory.mktemp("http")
    project = folder / "project"
    project.mkdir()
    return attaching(folder, scripted_model, opencode1, make_project(project))


@pytest.fixture(scope="module")
def served(module_launch: Launch) -> Iterator[Served]:
    with serving(module_launch) as bridge:
        yield bridge


def initialize(number: int = 1) -> dict[str, object]:
    client = Client()
    params = {"protocolVersion": client.protocol, "capabilities": {}, "clientInfo": client.info}
    return {"jsonrpc": "2.0", "id": number, "method": "initialize", "params": params}


def call(tool: str, client: Client, **arguments: object) -> dict[str, object]:
    params: dict[str, object] = {"name": tool, "arguments": arguments}
    if client.modern:
        params["_meta"] = client.envelope()
    return {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}


def headers(client: Client, tool: str) -> dict[str, str]:
    return ACCEPT | {"MCP-Protocol-Version": client.protocol, "Mcp-Method": "tools/call", "Mcp-Name": tool}


@pytest.mark.both_eras
async def test_a_run_is_followed_and_reported(served: Served, era: Era) -> None:
    async with connected(served.url, served.launch, era=era) as bridge:
        host = Host(bridge)
        report = await host.run(text("All is well."))
        assert (report["status"], report["text"]) == ("completed", "All is well.")
        assert host.lines


async def test_a_dropped_connection_ends_the_wait_and_not_the_run(
    served: Served, scripted_model: ScriptedModel
) -> None:
    client = Client("2026-07-28")
    prompt = script(step(hold("dropped"), text("Done all the same.")))
    body = call("opencode_run", client, prompt=prompt, wait_seconds=60)
    async with loopback_client(served.base) as http, anyio.create_task_group() as tasks:
        tasks.start_soon(partial(http.post, "/mcp", json=body, headers=headers(client, "opencode_run")))
        await scripted_model.reached("dropped")
        tasks.cancel_scope.cancel()
    async with connected(served.url, served.launch) as bridge:
        host = Host(bridge)
        listed = await host.data("opencode_list_sessions", running=True)
        await scripted_model.release("dropped")
        report = await host.wait(listed["sessions"][0]["session_id"])
        assert (report["status"], report["text"]) == ("completed", "Done all the same.")


async def test_a_signal_makes_open_waits_report_and_ends_the_bridge(
    module_launch: Launch, scripted_model: ScriptedModel
) -> None:
    session = ""
    # A client of the 2025 era ends its session, which fails when the bridge is gone.
    with serving(module_launch) as served, suppress(httpx2.ConnectError):
        async with (
            connected(served.url, served.launch, era="2025") as legacy,
            connected(served.url, served.launch) as modern,
        ):
            # The SDK's client asks for the tools after its first call, which would be after the end of the bridge.
            await legacy.client.list_tools()
            session = await Host(modern).start(step(hold("signal"), text("It went on.")))
            await scripted_model.reached("signal")
            async with (
                meanwhile(lambda: Host(modern).wait(session, wait_seconds=100)) as second,
                meanwhile(lambda: Host(legacy).wait(session, wait_seconds=100)) as first,
            ):
                await Host(modern).wait_for_progress("")
                await Host(legacy).wait_for_progress("")
                served.process.send_signal(signal.SIGTERM)
            assert [report["status"] for report in (*first, *second)] == ["running", "running"]
            with anyio.fail_after(30):
                assert await anyio.to_thread.run_sync(served.process.wait) == 0
    await scripted_model.release("signal")
    with serving(module_launch) as served:
        async with connected(served.url, served.launch) as bridge:
            assert (await Host(bridge).wait(session))["text"] == "It went on."


async def test_streams_that_end_with_the_bridge_say_why_and_later_requests_fail(
    module_launch: Launch,
) -> None:
    with serving(module_launch) as served:
        async with loopback_client(served.base, headers=ACCEPT) as http:
            session = (await http.post("/mcp", json=initialize())).headers["mcp-session-id"]
            legacy = {"Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25"}
            modern = HEADERS | {"Mcp-Method": "subscriptions/listen"}
            async with (
                http.stream("GET", "/mcp", headers=legacy) as first,
                http.stream("POST", "/mcp", json=STREAM, headers=modern) as second,
            ):
                served.process.send_signal(signal.SIGTERM)
                with anyio.fail_after(30):
                    ends = [await first.aread(), await second.aread()]
            assert await is_refused(http, {"jsonrpc": "2.0", "id": 3, "method": "ping"}, legacy)
            assert await is_refused(http, LIST, HEADERS)
    assert ends[0].splitlines()[-2].startswith(b": This MCP server was shut down")
    error = json.loads(ends[1].splitlines()[-2].removeprefix(b"data: "))
    assert error["id"] == STREAM["id"]
    assert error["error"]["message"].startswith("This MCP server was shut down")


async def is_refused(http: httpx.AsyncClient, body: dict[str, Any], sent: dict[str, str]) -> bool:
    """Return True if a request gets an error, on a connection that is still open, or no connection any more."""
    try:
        response = await http.post("/mcp", json=body, headers=sent)
    except httpx.TransportError:
        return True
    message = response.json()["error"]["message"]
    return response.status_code == 503 and message.startswith("This MCP server is shutting down. Nothing was started.")


async def test_a_client_resumes_its_own_stream_only(served: Served) -> None:
    async with loopback_client(served.base, headers=ACCEPT) as http:
        sessions = [(await http.post("/mcp", json=initialize())).headers["mcp-session-id"] for _ in range(2)]
        bodies = [{"jsonrpc": "2.0", "id": 7, "method": name} for name in ("ping", "prompts/list")]
        for session, body in zip(sessions, bodies, strict=True):
            own = {"Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25"}
            await http.post("/mcp", json={"jsonrpc": "2.0", "method": "notifications/initialized"}, headers=own)
            await http.post("/mcp", json=body, headers=own)
        resumed = [await resumed_event(http, session) for session in sessions]
    assert resumed[0]["result"] == {}
    assert "prompts" in resumed[1]["result"]


async def test_a_stream_that_cannot_be_resumed_is_refused(served: Served) -> None:
    async with loopback_client(served.base, headers=ACCEPT) as http:
        session = (await http.post("/mcp", json=initialize())).headers["mcp-session-id"]
        own = {"Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25", "Last-Event-ID": "99-7"}
        refused = await http.get("/mcp", headers=own)
        unknown = await http.get("/mcp", headers=own | {"Mcp-Session-Id": "0" * 32})
    assert refused.status_code == 400
    assert "cannot be resumed" in refused.json()["error"]["message"]
    assert unknown.status_code == 404


async def resumed_event(http: httpx.AsyncClient, session: str) -> dict[str, Any]:
    """Return the first message that a client gets who says that the beginning of its stream came last."""
    own = {"Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25", "Last-Event-ID": "3-7"}
    async with http.stream("GET", "/mcp", headers=own) as response:
        async for line in response.aiter_lines():
            if line.startswith("data: {"):
                return json.loads(line.removeprefix("data: "))
    raise AssertionError(response)


@pytest.mark.parametrize(
    ("path", "sent", "status"),
    [
        ("/healthz", {}, 200),
        ("/readyz", {}, 200),
        ("/healthz", {"Host": "LOCALHOST"}, 200),
        ("/healthz", {"Connection": "Upgrade", "Upgrade": "websocket"}, 200),
        ("/elsewhere", {}, 404),
        ("/healthz", {"Host": "attacker.example"}, 421),
        ("/healthz", {"Host": "localhost.attacker.example"}, 421),
        ("/mcp", {"Origin": "http://attacker.example"}, 403),
        ("/mcp", {"Origin": "null"}, 403),
        ("/healthz", {"X-Long": "x" * 40_000}, 431),
    ],
)
def test_only_named_hosts_and_pages_are_answered(served: Served, path: str, sent: dict[str, str], status: int) -> None:
    assert ask("GET", served.base + path, headers=sent).status_code == status


async def test_a_body_that_is_too_long_is_refused(served: Served) -> None:
    async with loopback_client(served.base, headers=ACCEPT) as http:
        assert (await http.post("/mcp", content=b" " * 5_000_000)).status_code == 413
