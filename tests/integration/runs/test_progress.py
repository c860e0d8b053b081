"""Progress notifications during a run: every kind of line, in order, and not too many."""

import re
from collections.abc import Awaitable, Callable
from itertools import count, pairwise
from pathlib import Path

import anyio
import pytest

from opencode_mcp.opencode.versions import Generation
from opencode_mcp.runs.following.progress_throttle import ProgressThrottle
from tests.harness.bridges.rawrpc import Host as RawHost
from tests.harness.bridges.rawrpc import OpenRaw
from tests.harness.differences import tool_name
from tests.harness.servers.model import ScriptedModel
from tests.integration.host import Host, Json, meanwhile
from tests.scripted_model.script import (
    Action,
    Step,
    bash,
    edit,
    failure,
    hold,
    question,
    script,
    step,
    task,
    text,
    todos,
    words,
    write,
)

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_eras]

Watched = Callable[..., Awaitable[Json]]
PATIENCE = {"retry-after-ms": "1500"}


async def test_progress_rises_strictly_and_every_notification_says_something(host: Host) -> None:
    await host.run(bash("echo one"), bash("echo two"), words(100, delay=0.01))
    numbers = [progress.progress for progress in host.bridge.progress]
    assert len(numbers) > 1
    assert all(later > earlier for earlier, later in pairwise(numbers))
    assert all(host.lines)


@pytest.mark.either_era
@pytest.mark.both_generations
async def test_tools_are_reported_with_what_they_work_on(
    host: Host, case: str, opencode_generation: Generation, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    name, gate, reported = f"reported-{case}.txt", f"tools {case}", tmp_path / "reported"
    began = step(text("A moment. "), hold(gate), write(name, "one\n"))
    # The command runs until it was reported: no notification names one that has ended.
    command = bash(f"echo hello; until [ -e {reported} ]; do sleep 0.1; done")
    async with meanwhile(lambda: host.run(began, edit(name, "one", "two"), command, text("Done."))):
        # Its wait is under way: the first call is not over before that.
        await host.wait_for_progress("writing, ")
        await scripted_model.release(gate)
        await host.wait_for_progress(f"{tool_name('bash', opencode_generation)}: echo hello")
        reported.touch()
    assert host.has_progress(f"write: {name}")
    assert host.has_progress(f"edit: {name} +1 -1")


@pytest.fixture
def watched(host: Host, scripted_model: ScriptedModel, era: str) -> Watched:
    """Runs a step that begins when its wait is seen to be under way: else it could be over before that."""
    numbers = count()

    async def watch(action: Action, *steps: Action | Step, **arguments: object) -> Json:
        gate = f"watched {era} {next(numbers)}"
        began = step(text("A moment. "), hold(gate), action)
        host.bridge.progress.clear()
        async with meanwhile(lambda: host.run(began, *steps, **arguments)) as reports:
            await host.wait_for_progress("writing, ")
            # The next line is sent no sooner, and the call ends as soon as OpenCode asks.
            await anyio.sleep(ProgressThrottle.SHORTEST_SECONDS)
            await scripted_model.release(gate)
        return reports[0]

    return watch


@pytest.mark.either_era
@pytest.mark.both_generations
async def test_todos_are_reported_by_how_many_are_done(host: Host, watched: Watched) -> None:
    await watched(todos(("Plan", "completed"), ("Build", "pending")), text("Noted."))
    assert host.has_progress("todos: 1 of 2 done")


@pytest.mark.either_era
@pytest.mark.both_generations
async def test_text_is_reported_while_it_is_written(host: Host, scripted_model: ScriptedModel, era: str) -> None:
    gate = f"writing {era}"
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(host.run, step(words(50), hold(gate), text("The end.")))
        await scripted_model.reached(gate)
        await host.wait_for_progress("writing, ")
        await scripted_model.release(gate)


@pytest.mark.either_era
@pytest.mark.both_generations
async def test_a_subagents_work_is_reported_as_such(
    host: Host, scripted_model: ScriptedModel, opencode_generation: Generation, era: str
) -> None:
    # Of lines that follow each other closely only one is sent, so each is waited for before the next.
    begin, end = (f"subagent {era} {opencode_generation} {name}" for name in ("begin", "end"))
    child = script(step(hold(begin), bash("echo deep")), step(hold(end), text("Done.")))
    async with meanwhile(lambda: host.run(task(child, description="Small part"), text("All done."))):
        await host.wait_for_progress(f"{tool_name('task', opencode_generation)}: Small part")
        await scripted_model.release(begin)
        await host.wait_for_progress(f"subagent: {tool_name('bash', opencode_generation)}: echo deep")
        await scripted_model.release(end)


@pytest.mark.either_era
@pytest.mark.both_generations
async def test_a_retry_is_reported_with_its_reason_and_its_delay(host: Host) -> None:
    await host.run(step(failure(429, "Slow down", headers=PATIENCE, times=1), text("Now it works.")))
    line = next(line for line in host.lines if "Slow down" in line)
    assert re.search(r"retrying in [12] s \(attempt 1\): .*Slow down", line)


@pytest.mark.either_era
@pytest.mark.both_generations
async def test_waiting_for_permission_is_reported(host: Host, watched: Watched, asking: Path) -> None:
    report = await watched(bash("echo please"), text("Ran."), directory=str(asking))
    assert host.has_progress("waiting for a permission: bash echo please")
    await host.data("opencode_abort", session_id=report["session_id"])


@pytest.mark.either_era
@pytest.mark.both_generations
async def test_waiting_for_an_answer_is_reported(host: Host, watched: Watched) -> None:
    report = await watched(question("Which colour?", "Red"), text("Thanks."))
    assert host.has_progress("waiting for an answer: Which colour?")
    await host.data("opencode_abort", session_id=report["session_id"])


async def test_progress_is_reported_only_to_those_who_ask_for_it(raw_bridge: OpenRaw, era: str) -> None:
    protocol = {"2025": "2025-11-25", "2026": "2026-07-28"}[era]
    prompt = {"prompt": script(bash("echo one"), text("Done."))}
    async with raw_bridge(RawHost(protocol=protocol)) as client:
        await client.request("tools/call", {"name": "opencode_run", "arguments": prompt})
        assert client.messages("notifications/progress") == []
        await client.request("tools/call", {"name": "opencode_run", "arguments": prompt}, token="mine")
        notifications = [message["params"] for message in client.messages("notifications/progress")]
    assert notifications
    assert {params["progressToken"] for params in notifications} == {"mine"}


@pytest.mark.either_era
async def test_all_callers_that_wait_for_a_run_get_its_progress(host: Host) -> None:
    session = await host.start(*[bash(f"sleep 0.5; echo {number}") for number in range(3)], text("Done."))
    callers = [host.another(), host.another()]
    async with anyio.create_task_group() as tasks:
        for caller in callers:
            tasks.start_soon(caller.wait, session)
    for caller in callers:
        assert caller.has_progress("bash: sleep 0.5")
