"""Limits of a principal: runs at once, and cost of a day. What is beyond one is refused, or waits in the queue."""

from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from opencode_mcp.opencode.versions import Generation
from tests.harness.bridges.bridge import connected, text_of
from tests.harness.bridges.launch import attaching
from tests.harness.bridges.served import serving
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.http.operator import Operator
from tests.integration.host import Host, meanwhile
from tests.scripted_model.script import hold, script, step, text, usage

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]

LIMITS = ("--max-runs", "1", "--max-cost-a-day", "0.05", "--allow", "execute")
AT_ONCE = "The limit is 1 run at once, and 1 is at work."
RETURNS: Mapping[Generation, str] = {1: "session.prompt_async", 2: "session.prompt"}
"""Operation that sends a prompt and returns at once."""
OF_DAY = "The runs of today have cost 0.05 USD or more, which is the limit of a day."


@pytest.fixture
async def limited(
    tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode, project: Path
) -> AsyncGenerator[Host]:
    """A principal with limits, at a bridge over HTTP."""
    launch = attaching(tmp_path, scripted_model, opencode_server, project)
    operator = Operator(tmp_path)
    operator.environment = {**launch.environment, "OPENCODE_MCP_CONFIG": str(operator.settings)}
    token = operator.token("new", "limited", "--directory", str(project), *LIMITS)
    assert "max_runs = 1, max_cost_a_day = 0.05" in operator.token("list")
    with serving(launch.within(OPENCODE_MCP_CONFIG=str(operator.settings)), "--log-level", "INFO") as served:
        async with connected(served.url, served.launch, token=token) as bridge:
            yield Host(bridge)


def prompt_arguments(generation: Generation, prompt: str) -> dict[str, Any]:
    """Return the arguments of the operation for a prompt, without its session."""
    return {"parts": [{"type": "text", "text": prompt}]} if generation == 1 else {"text": prompt}


async def test_a_run_beyond_the_limit_is_refused_and_the_task_of_a_batch_waits(
    limited: Host, scripted_model: ScriptedModel, opencode_generation: Generation
) -> None:
    session_id = await limited.start(step(hold("busy"), text("Done.")))
    await scripted_model.reached("busy")
    refused = await limited.error("opencode_run", prompt="x")
    assert AT_ONCE in refused
    assert refused.endswith("opencode_run_many wait by themselves. Nothing was started.")
    assert AT_ONCE in await limited.error("opencode_command", command="review")
    by_operation = {"sessionID": session_id, **prompt_arguments(opencode_generation, "x")}
    refused = await limited.error("opencode_call_operation", operation="session.prompt", arguments=by_operation)
    assert AT_ONCE in refused
    assert refused.endswith("Nothing was started.")
    table = await limited.data("opencode_run_many", tasks=[{"prompt": script(text("Late."))}], wait_seconds=0)
    assert table["tasks"][0]["status"] == "queued"
    async with meanwhile(lambda: limited.data("opencode_wait", session_id=table["batch_id"])) as returned:
        await scripted_model.release("busy")
    assert [task["status"] for task in returned[0]["tasks"]] == ["completed"]


async def test_of_two_runs_that_start_at_once_one_is_refused(limited: Host, scripted_model: ScriptedModel) -> None:
    texts: list[str] = []

    async def start() -> None:
        prompt = script(step(hold("one"), text("Done.")))
        result = await limited.bridge.call("opencode_run", prompt=prompt, wait_seconds=0)
        texts.append(text_of(result) if result.is_error else "started")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(start)
        tasks.start_soon(start)
    await scripted_model.release("one")
    assert sorted(said.startswith(AT_ONCE) for said in texts) == [False, True]
    assert "started" in texts


async def test_of_two_prompts_that_operations_send_at_once_one_is_refused(
    limited: Host, scripted_model: ScriptedModel, opencode_generation: Generation
) -> None:
    texts: list[str] = []

    async def send(session_id: str) -> None:
        prompt = script(step(hold("one"), text("Done.")))
        call = {
            "operation": RETURNS[opencode_generation],
            "arguments": {"sessionID": session_id, **prompt_arguments(opencode_generation, prompt)},
        }
        result = await limited.bridge.call("opencode_call_operation", **call)
        texts.append(text_of(result) if result.is_error else "started")

    first, second = [(await limited.run(step(text("Done."))))["session_id"] for _ in range(2)]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send, first)
        tasks.start_soon(send, second)
    await scripted_model.release("one")
    assert sorted(said.startswith(AT_ONCE) for said in texts) == [False, True]
    assert "started" in texts


async def test_no_run_starts_after_the_cost_of_a_day(limited: Host) -> None:
    await limited.run(step(text("Cheap."), usage(input=10_000, output=5)))
    await limited.run(step(text("Dear."), usage(input=60_000, output=5)))
    assert (await limited.error("opencode_run", prompt="x")).startswith(OF_DAY)
    table = await limited.data("opencode_run_many", tasks=[{"prompt": "x"}], wait_seconds=0)
    assert table["note"].startswith("Queued tasks wait, since the runs of today have cost 0.05 USD or more.")
    stopped = await limited.data("opencode_abort", session_id=table["batch_id"])
    assert "prompt was not sent" in stopped["tasks"][0]["note"]
