"""A task's id opens only for what it names, and an OpenCode that keeps silent is given time to come back."""

import json
import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio
import pytest
from mcp.shared.exceptions import MCPError

from opencode_mcp.server.access.audit_notes.noted_action import NotedAction, noted_action
from opencode_mcp.server.access.audit_notes.refused_calls import noted_refusals
from opencode_mcp.server.bridge import Bridge
from opencode_mcp.server.notifications.subscriptions import Subscriptions
from opencode_mcp.server.tokens.token_codec import TokenCodec
from opencode_mcp.server.waiting import runs_as_mcp_tasks
from opencode_mcp.server.waiting.call_context import McpRequestContext
from opencode_mcp.server.waiting.runs_as_mcp_tasks import KIND, RunMcpTasks
from opencode_mcp.settings import Settings
from tests.harness.servers.opencode import free_port

pytestmark = pytest.mark.anyio

RUN = {"directory": "/p", "session_id": "ses_1", "message_id": "msg_1", "caller_limit": "allow"}


@pytest.fixture
def codec(tmp_path: Path) -> TokenCodec:
    return TokenCodec(tmp_path)


@pytest.fixture
async def context(tmp_path: Path) -> AsyncGenerator[McpRequestContext]:
    """A call to a bridge whose OpenCode is gone."""
    settings = Settings(url=f"http://127.0.0.1:{free_port()}", directories=(str(tmp_path),), state_directory=tmp_path)
    async with anyio.create_task_group() as tasks:
        bridge = Bridge(settings, tasks, Subscriptions())
        session = SimpleNamespace(client_capabilities=None)
        yield cast("McpRequestContext", SimpleNamespace(lifespan_context=bridge, session=session))
        tasks.cancel_scope.cancel()
        await bridge.aclose()


def token(codec: TokenCodec, **content: object) -> str:
    return codec.seal(json.dumps(content).encode())


@pytest.mark.parametrize("made_of", [{}, {"is": "other", "run": RUN, "created": "now"}, {"v": 1, "s": "state"}])
async def test_what_was_sealed_for_another_purpose_is_no_task(
    codec: TokenCodec, context: McpRequestContext, made_of: dict[str, object]
) -> None:
    tasks = RunMcpTasks(codec)
    name = token(codec, **made_of)
    assert await tasks.get(name, context) is None
    assert not await tasks.update(name, {}, context)
    assert not await tasks.cancel(name, context)


async def test_another_state_directorys_ids_name_nothing(
    codec: TokenCodec, context: McpRequestContext, tmp_path: Path
) -> None:
    name = token(TokenCodec(tmp_path / "other"), **{"is": KIND}, run=RUN, created="now")
    assert await RunMcpTasks(codec).get(name, context) is None


async def test_an_unresponsive_opencode_ends_a_task_only_after_patience(
    codec: TokenCodec, context: McpRequestContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = RunMcpTasks(codec)
    name = token(codec, **{"is": KIND}, run=RUN, created="now")
    first = await tasks.get(name, context)
    assert first
    assert first.status == "working"
    assert "does not answer" in first.message
    assert first.created == "now"
    monkeypatch.setattr(runs_as_mcp_tasks, "UNREACHABLE_SECONDS", 0)
    last = await tasks.get(name, context)
    assert last
    assert last.status == "completed"
    assert last.result
    assert last.result["isError"] is True
    assert await tasks.get(name, context) == last


@pytest.mark.parametrize(
    ("rights", "said", "refused_by"),
    [
        ({"missing_scopes": {"write": "opencode:write"}}, "lacks the scope opencode:write", "scope opencode:write"),
        ({"principal": "anna"}, "in the table [principals.anna]", "--read-only"),
    ],
)
async def test_the_end_of_a_task_is_refused_with_what_is_missing_and_noted_with_its_session(
    codec: TokenCodec,
    context: McpRequestContext,
    monkeypatch: pytest.MonkeyPatch,
    rights: dict[str, Any],
    said: str,
    refused_by: str,
) -> None:
    async def is_callers(_run: object, _ctx: McpRequestContext) -> bool:
        return True

    monkeypatch.setattr(runs_as_mcp_tasks, "_is_callers", is_callers)
    bridge = cast("Bridge", context.lifespan_context)
    bridge.settings = replace(bridge.settings, read_only=True, **rights)
    name = token(codec, **{"is": KIND}, run=RUN, created="now")
    with noted_refusals() as refusals, noted_action() as action, pytest.raises(MCPError, match=re.escape(said)):
        await RunMcpTasks(codec).cancel(name, context)
    assert refusals == [refused_by]
    assert action == NotedAction("opencode_abort", "ses_1", "/p")
