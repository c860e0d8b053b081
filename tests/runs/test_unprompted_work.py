"""Work that OpenCode 2 begins without a prompt, after a run has ended."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import anyio
import pytest

from opencode_mcp.events.hub import Hub
from opencode_mcp.launcher.connection import Connection
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.runs.run_life import Runs
from opencode_mcp.runs.run_note import Notes
from tests.harness.opencode2.running import OpenCode2
from tests.harness.servers.model import ScriptedModel
from tests.runs.worker import WAIT, Worker
from tests.scripted_model.script import hold, script, step, text, tool
from tests.wires import Route

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture
async def hub(opencode2: OpenCode2) -> AsyncGenerator[Hub]:
    endpoint = Endpoint(url=opencode2.url, password=opencode2.password, generation=2)
    with anyio.fail_after(3 * WAIT):
        async with aclosing(Connection(Route(endpoint))) as connection, anyio.create_task_group() as tasks:
            yield Hub(connection, tasks)
            tasks.cancel_scope.cancel()


@pytest.fixture
def worker(hub: Hub, notes: Notes, shared_project: Path) -> Worker:
    return Worker(Runs(hub, notes), str(shared_project))


async def test_a_run_has_ended_while_the_report_of_its_background_subagent_is_worked_on_and_that_can_be_stopped(
    worker: Worker, scripted_model: ScriptedModel
) -> None:
    report = script(step(hold("reported"), text("Read the report.")))
    child = script(step(hold("working"), text(report)))
    call = tool("subagent", agent="general", description="Late", prompt=child, background=True)
    run = await worker.start(call, text("Begun."))
    assert (await worker.runs.follow(run, WAIT)).text == "Begun."
    await scripted_model.release("working")
    await scripted_model.reached("reported")
    seen = await worker.runs.follow(run, 0)
    assert (seen.status, seen.text) == ("completed", "Begun.")
    assert (await worker.runs.stop(run)).was_running
    assert (await worker.runs.follow(run, WAIT)).text == "Begun."
