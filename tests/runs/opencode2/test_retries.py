"""A pause of OpenCode 2 before it asks the model again is reported, also if it began before anybody looked."""

from collections.abc import AsyncIterator

import anyio
import pytest

from opencode_mcp.events.hub import Hub
from opencode_mcp.launcher.connection import Connection
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.runs.deadline import Deadline
from opencode_mcp.runs.outcome.state import State
from opencode_mcp.runs.run_life import Runs
from opencode_mcp.runs.run_note import Notes
from opencode_mcp.runs.run_record import Run
from tests.harness.waiting import eventually
from tests.runs.worker import WAIT, Worker
from tests.scripted_model.script import failure, step, text
from tests.wires import Route

pytestmark = [pytest.mark.anyio, pytest.mark.integration]
RETRY_AFTER = {"retry-after": "300"}
"""Header of a model that wants a pause which is longer than the test."""


@pytest.fixture
async def late_runs(endpoint: Endpoint, notes: Notes) -> AsyncIterator[Runs]:
    """Runs of a bridge that has not received any event of the test's run."""
    connection = Connection(Route(endpoint))
    async with anyio.create_task_group() as tasks:
        yield Runs(Hub(connection, tasks), notes)
        tasks.cancel_scope.cancel()
    await connection.aclose()


async def pausing(worker: Worker, client: OpenCodeClient) -> Run:
    """Start a run whose model fails and wants a long pause; return when OpenCode pauses."""
    run = await worker.start(step(failure(500, "Overloaded.", headers=RETRY_AFTER), text("Never said.")))

    async def look() -> bool:
        return await client.session_pause(run.session_id) is not None

    await eventually(look, seconds=WAIT)
    return run


async def test_a_pause_is_seen_by_those_who_received_it_and_by_those_who_come_later(
    worker: Worker, late_runs: Runs, client: OpenCodeClient
) -> None:
    run = await pausing(worker, client)
    for runs in (worker.runs, late_runs):
        seen = await runs.observe(run, Deadline.after(0))
        assert seen.state is State.RETRYING
        activity = (await runs.report(run, seen)).activity
        assert activity.startswith("retrying in ")
        assert "(attempt 1): " in activity
        assert activity.endswith("Overloaded, HTTP 500")
    waited = await worker.runs.observe(run, Deadline.after(1))
    assert waited.state is State.RETRYING
    stopped, _ = await worker.runs.abort(run)
    assert stopped.status == "aborted"
    assert await client.session_pause(run.session_id) is None


async def test_a_session_that_works_has_no_pause(worker: Worker, client: OpenCodeClient) -> None:
    report = await worker.run(text("At once."))
    assert await client.session_pause(report.session_id) is None
