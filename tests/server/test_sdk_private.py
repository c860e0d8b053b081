"""The SDK still has the private names that we use, and they still do what we use them for.

A failure here means that a new version of the SDK has changed them: adapt ``opencode_mcp/server/sdk_private.py``, or
use the public way if there is one now.
"""

import re
from pathlib import Path

import anyio
import pytest
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver import server as mcpserver
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCRequest, JSONRPCResponse

import opencode_mcp
from opencode_mcp.server.sdk_private import (
    call_at_disconnect,
    connection_state,
    run_over_streams,
    without_log_configuration,
)
from tests.harness.bridges.rawrpc import Host

pytestmark = pytest.mark.anyio

SECONDS = 20
HANDSHAKE = JSONRPCRequest(
    jsonrpc="2.0",
    id=1,
    method="initialize",
    params={"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": Host().info},
)
PRIVATE = re.compile(
    r"_lowlevel_server|\"_connection\"|(?<!\w)mcp[\w.]*\._(?!_)\w+"
    r"|_(?:server_instances|session_owners|admit_session|handle_stateful_request|serve_opening_request)\b"
)
MODULES = ["sdk_private.py", "sdk_session_manager.py"]


async def test_a_server_serves_over_streams_of_our_own_keeps_data_of_them_and_calls_back_when_they_end() -> None:
    ended: list[str] = []
    seen: list[int] = []

    async def register(ctx: "ServerRequestContext[object, object]", call_next: CallNext) -> HandlerResult:
        call_at_disconnect(ctx.session, lambda: ended.append(ctx.method))
        counted = connection_state(ctx.session)
        counted["requests"] = counted.get("requests", 0) + 1
        seen.append(counted["requests"])
        return await call_next(ctx)

    server = MCPServer[None]("test", middleware=[register])
    to_server, received = anyio.create_memory_object_stream[SessionMessage | Exception](1)
    sent, from_server = anyio.create_memory_object_stream[SessionMessage](1)
    with anyio.fail_after(SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run_over_streams, server, received, sent)
            await to_server.send(SessionMessage(HANDSHAKE))
            reply = (await from_server.receive()).message
            assert isinstance(reply, JSONRPCResponse)
            assert reply.result["serverInfo"]["name"] == "test"
            assert ended == []
            await to_server.send(SessionMessage(JSONRPCRequest(jsonrpc="2.0", id=2, method="ping")))
            await from_server.receive()
            assert seen == [1, 2]
            await to_server.aclose()
    assert sorted(ended) == ["initialize", "ping"]
    await from_server.aclose()


def test_a_server_can_be_built_without_the_log_of_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    configured: list[object] = []
    monkeypatch.setattr(mcpserver, "configure_logging", configured.append)
    with without_log_configuration():
        MCPServer[None]("quiet")
    assert configured == []
    MCPServer[None]("usual")
    assert configured == ["INFO"]


def test_private_names_of_the_sdk_are_in_two_modules() -> None:
    package = Path(opencode_mcp.__file__).parent
    users = sorted(path.name for path in package.rglob("*.py") if PRIVATE.search(path.read_text(encoding="utf-8")))
    assert users == MODULES
