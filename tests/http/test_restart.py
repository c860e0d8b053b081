"""Batches of a principal go on after the bridge has died, or its rights have changed, before it sends a request."""

from pathlib import Path

import pytest

from tests.harness.bridges.bridge import connected
from tests.harness.bridges.launch import attaching
from tests.harness.bridges.served import serving
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.http.operator import Operator
from tests.integration.host import Host
from tests.scripted_model.script import hold, script, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


async def test_queued_tasks_are_started_without_a_request(
    tmp_path: Path, scripted_model: ScriptedModel, opencode1: OpenCode, project: Path
) -> None:
    operator = Operator(tmp_path)
    launch = attaching(tmp_path, scripted_model, opencode1, project)
    launch = launch.within(OPENCODE_MCP_CONFIG=str(operator.settings))
    token = operator.token("new", "laptop", "--directory", str(project))
    tasks = [{"prompt": script(step(hold(name), text(f"{name} is done.")))} for name in ("first", "second", "third")]
    with serving(launch, "--log-level", "INFO") as served:
        async with connected(served.url, served.launch, token=token) as bridge:
            batch = await Host(bridge).data("opencode_run_many", tasks=tasks, parallel=1, wait_seconds=0)
            await scripted_model.reached("first")
        served.process.kill()
        served.process.wait(20)
    with serving(launch, "--log-level", "INFO") as served:
        await scripted_model.release("first")
        await scripted_model.reached("second")
        text_before = operator.settings.read_text(encoding="utf-8")
        operator.settings.write_text(f"{text_before}max_cost_a_day = 5\n", encoding="utf-8")
        await scripted_model.release("second")
        await scripted_model.reached("third")
        await scripted_model.release("third")
        async with connected(served.url, served.launch, token=token) as bridge:
            table = await Host(bridge).data("opencode_wait", session_id=batch["batch_id"])
    assert [task["status"] for task in table["tasks"]] == ["completed"] * 3
