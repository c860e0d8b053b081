"""Another client prompts the session of a run of OpenCode 2, or answers for it: the run is reported as it was."""

from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import pytest
from opencode import AsyncOpencode

from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.runs.following import evidence_reader, follow
from opencode_mcp.runs.outcome.endings import refusal_text
from opencode_mcp.runs.run_record import Run, has_moved_on
from tests.harness.failures import unwrapped
from tests.harness.opencode2.driving import permission
from tests.harness.opencode2.running import OpenCode2
from tests.harness.servers.model import ScriptedModel
from tests.runs.worker import WAIT, Worker
from tests.scripted_model.script import bash, hold, script, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture
async def other(opencode2: OpenCode2, shared_project: Path) -> AsyncGenerator[AsyncOpencode]:
    """A client as a person at a terminal has it."""
    async with AsyncOpencode(
        opencode2.url, password=opencode2.password, directory=shared_project, timeout=60, max_retries=0
    ) as client:
        yield client


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> anyio.Event:
    """An event for the first time that a follower has read whether its session has moved on."""
    event = anyio.Event()

    async def read(client: OpenCodeClient, run: Run) -> bool:
        moved_on = await has_moved_on(client, run)
        event.set()
        return moved_on

    monkeypatch.setattr(evidence_reader, "has_moved_on", read)
    monkeypatch.setattr(follow, "FIRST_INTERVAL_SECONDS", 0.1)
    return event


async def test_a_run_ends_while_the_queued_prompt_of_another_client_is_worked_on(
    worker: Worker, other: AsyncOpencode, scripted_model: ScriptedModel, looked: anyio.Event
) -> None:
    run = await worker.start(step(text("Mine."), hold("queued")))
    await scripted_model.reached("queued")
    reports: list[tuple[str, str, list[str]]] = []

    async def wait() -> None:
        report = await worker.runs.follow(run, 10 * WAIT)
        reports.append((report.status, report.text, report.merged_with))

    with anyio.fail_after(WAIT), unwrapped():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            await looked.wait()
            theirs = script(step(hold("theirs"), text("Theirs.")), say="Theirs")
            await other.session.prompt(run.session_id, text=theirs, delivery="queue")
            await scripted_model.release("queued")
    assert reports == [("completed", "Mine.", [])]
    await scripted_model.release("theirs")
    await other.session.wait(run.session_id)
    assert (await worker.runs.follow(run, WAIT)).text == "Mine."


async def test_a_prompt_that_another_client_steers_into_a_run_is_named(
    worker: Worker, other: AsyncOpencode, scripted_model: ScriptedModel
) -> None:
    run = await worker.start(step(hold("steered"), bash("true")), text("Both done."))
    await scripted_model.reached("steered")
    sent = await other.session.prompt(run.session_id, text=script(text("Never said."), say="Also"), delivery="steer")
    await scripted_model.release("steered")
    report = await worker.runs.follow(run, WAIT)
    assert report.status == "completed"
    assert report.merged_with == [sent.id]


async def test_a_permission_that_another_client_allows_lets_the_run_go_on(worker: Worker, other: AsyncOpencode) -> None:
    run = await worker.start(bash("echo asked"), text("Allowed."), agent="asking")
    asked = await permission(other, run.session_id)
    assert (await worker.runs.follow(run, 0)).status == "needs_input"
    await other.permission.reply(run.session_id, asked, decision="once")
    report = await worker.runs.follow(run, WAIT)
    assert (report.status, report.text) == ("completed", "Allowed.")


async def test_a_permission_that_another_client_rejects_is_the_reason_of_the_end(
    worker: Worker, other: AsyncOpencode
) -> None:
    run = await worker.start(bash("echo asked"), text("Never said."), agent="asking")
    asked = await permission(other, run.session_id)
    await other.permission.reply(run.session_id, asked, decision="reject")
    report = await worker.runs.follow(run, WAIT)
    assert (report.status, report.shortfall) == ("aborted", refusal_text("shell", "echo asked"))
