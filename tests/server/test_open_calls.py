"""Requests that are ended from outside: those that only wait go on."""

from typing import Any, cast

import anyio
import pytest
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError

from opencode_mcp.server.open_calls import OpenCalls, note_wait

pytestmark = pytest.mark.anyio

Context = ServerRequestContext[Any, Any]
CONTEXT = cast("Context", None)


async def outcome(calls: OpenCalls, handler: CallNext) -> str:
    """Make a request, and return its result or its error."""
    try:
        return str(await calls.middleware(CONTEXT, handler))
    except MCPError as error:
        return error.error.message


async def test_all_requests_end_except_those_that_wait() -> None:
    calls, is_over = OpenCalls(), anyio.Event()
    outcomes: dict[str, str] = {}

    async def wait(_ctx: Context) -> HandlerResult:
        note_wait()
        await is_over.wait()
        return {"status": "running"}

    async def work(_ctx: Context) -> HandlerResult:
        await is_over.wait()
        return {}

    async def make(name: str, handler: CallNext) -> None:
        outcomes[name] = await outcome(calls, handler)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(make, "waits", wait)
        tasks.start_soon(make, "works", work)
        await anyio.wait_all_tasks_blocked()
        calls.end_others("Why.")
        await anyio.wait_all_tasks_blocked()
        assert outcomes == {"works": "Why."}
        await make("comes later", wait)
        is_over.set()
    assert outcomes == {"works": "Why.", "comes later": "Why.", "waits": "{'status': 'running'}"}


def test_a_request_that_nobody_may_end_can_wait() -> None:
    note_wait()
