"""A waiter relies on reads and not on events: lost events delay it, and a lost server does not end the run."""

from functools import partial

import anyio
import pytest

from opencode_mcp.events.hub import Hub
from opencode_mcp.opencode.v1 import event_parser as v1_events
from opencode_mcp.opencode.v2.event_parsing import event_parser as v2_events
from opencode_mcp.runs.following import follow
from opencode_mcp.runs.following.progress_throttle import ProgressThrottle
from opencode_mcp.runs.run_life import Runs
from opencode_mcp.runs.run_record import Run
from tests.harness.faults.proxy import Proxy
from tests.harness.servers.model import ScriptedModel
from tests.harness.waiting import eventually
from tests.runs.worker import WAIT, Worker
from tests.scripted_model.script import bash, failure, hold, question, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]


@pytest.fixture
def without_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """No event is understood any more."""
    for parser in (v1_events, v2_events):
        monkeypatch.setattr(parser, "PARSERS", {})
    monkeypatch.setattr(follow, "LONGEST_INTERVAL_SECONDS", 0.2)


async def test_a_heartbeat_counts_the_silence_and_not_the_wait(
    worker: Worker, scripted_model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ProgressThrottle, "LONGEST_SECONDS", 0.3)
    began = anyio.current_time()
    run = await worker.start(step(hold("counted"), text("Done.")))
    lines: list[str] = []

    async def record_line(line: str) -> None:
        lines.append(line)

    await worker.runs.follow(run, 1.2, record_line)
    first = len(lines)
    await worker.runs.follow(run, 1.2, record_line)
    at_most = anyio.current_time() - began + 1
    await scripted_model.release("counted")
    assert all(line.startswith("waiting for the model") for line in lines), lines
    seconds = [float(line.removeprefix("waiting for the model, no output for ").split()[0]) for line in lines[first:]]
    assert seconds
    assert all(1 <= second <= at_most for second in seconds), lines
    assert (await worker.runs.follow(run, WAIT)).text == "Done."


@pytest.mark.usefixtures("without_events")
async def test_without_a_single_event_a_run_is_still_seen_to_end(worker: Worker) -> None:
    report = await worker.run(bash("sleep 0.3"), text("Done."))
    assert (report.status, report.text) == ("completed", "Done.")


@pytest.mark.usefixtures("without_events")
async def test_without_a_single_event_a_failed_run_is_still_seen_to_fail(worker: Worker) -> None:
    report = await worker.run(failure(401, "Invalid API key"))
    assert report.status == "failed"
    assert "Invalid API key" in report.error


@pytest.mark.usefixtures("without_events")
async def test_without_a_single_event_a_question_is_still_found(worker: Worker) -> None:
    run = await worker.start(step(bash("sleep 0.3")), question("Which?", "Red"))
    report = await worker.runs.follow(run, WAIT)
    assert report.status == "needs_input"
    await worker.runs.stop(run)


async def test_a_stream_that_is_cut_again_and_again_ends_no_wait(
    worker: Worker, proxy: Proxy, scripted_model: ScriptedModel
) -> None:
    run = await worker.start(step(text("Before. "), hold("cut"), text("After.")))
    await scripted_model.reached("cut")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(cut_often, proxy))
        await scripted_model.release("cut")
        report = await worker.runs.follow(run, WAIT)
        assert (report.status, report.text) == ("completed", "Before. After.")
        tasks.cancel_scope.cancel()


async def cut_often(proxy: Proxy) -> None:
    while True:
        await proxy.cut()
        # A request is sent twice, and one of these must have time for its reply on a busy machine.
        await anyio.sleep(1)


async def test_a_waiter_that_lost_opencode_says_what_it_knows_and_the_next_one_finds_the_run(
    worker: Worker, proxy: Proxy, hub: Hub, scripted_model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ProgressThrottle, "LONGEST_SECONDS", 0.1)
    run = await worker.start(step(text("So far so good. "), hold("lost"), text("The end.")))
    await scripted_model.reached("lost")
    await wait_for_draft(hub, run, "So far so good. ")

    async def lose(_line: str) -> None:
        await proxy.refuse()

    report = await worker.runs.follow(run, WAIT, lose)
    assert (report.status, report.lost) == ("failed", True)
    assert proxy.url in report.error
    assert report.text == "So far so good. "
    proxy.accept()
    await scripted_model.release("lost")
    report = await worker.runs.follow(run, WAIT)
    assert (report.status, report.text) == ("completed", "So far so good. The end.")


async def wait_for_draft(hub: Hub, run: Run, written: str) -> None:
    """Wait until the stream has sent so much of an answer."""

    async def is_written() -> bool:
        draft = hub.state(run.session_id).draft
        return draft is not None and draft.text == written

    await eventually(is_written)


async def test_a_waiter_that_comes_late_knows_what_was_written_before(
    worker: Worker, hub: Hub, scripted_model: ScriptedModel
) -> None:
    run = await worker.start(step(text("In the beginning. "), hold("late"), text("The end.")))
    await scripted_model.reached("late")
    await wait_for_draft(hub, run, "In the beginning. ")
    report = await worker.runs.follow(run, 0)
    assert (report.status, report.text) == ("running", "In the beginning. ")
    await scripted_model.release("late")
    assert (await worker.runs.follow(run, WAIT)).text == "In the beginning. The end."


async def test_two_waiters_get_the_same_report(worker: Worker, runs: Runs, scripted_model: ScriptedModel) -> None:
    run = await worker.start(step(hold("two"), text("For both.")))
    await scripted_model.reached("two")
    reports: list[object] = []

    async def wait() -> None:
        reports.append(await runs.follow(run, WAIT))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        tasks.start_soon(wait)
        await scripted_model.release("two")
    assert reports[0] == reports[1]


async def test_a_waiter_that_is_cancelled_leaves_the_run_alone(worker: Worker, scripted_model: ScriptedModel) -> None:
    run = await worker.start(step(hold("left"), text("All the same.")))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(worker.runs.follow, run, WAIT)
        await scripted_model.reached("left")
        tasks.cancel_scope.cancel()
    await scripted_model.release("left")
    assert (await worker.runs.follow(run, WAIT)).text == "All the same."
