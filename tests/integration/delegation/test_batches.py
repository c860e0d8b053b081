"""Batches over MCP: tasks wait for their place, each runs once, and the table says what became of each."""

import os
import random
import re
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest

from opencode_mcp.opencode.versions import Generation
from opencode_mcp.server.batches.continuation import GO_ON
from tests.harness.bridges.launch import Launch, end_left_server, starting
from tests.harness.bridges.rawrpc import RawClient, open_raw
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.harness.waiting import eventually
from tests.integration.backend import Backend, backend, started_backend
from tests.integration.host import Host, meanwhile
from tests.scripted_model.script import failure, hold, question, script, step, text, usage, words, write

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]
Json = dict[str, Any]
SEEDS = range(50)
EACH = 25
"""One in so many rounds with a killed bridge is played in an ordinary run."""


def says(words: str, *steps: Any, **arguments: object) -> Json:  # noqa: ANN401 - steps of a script
    """A task with a name."""
    return {"prompt": script(*(steps or (text(f"{words} is done."),)), say=words), "title": words, **arguments}


def of(table: Json, number: int) -> Json:
    """The row of a task."""
    return table["tasks"][number - 1]


def counts(table: Json) -> Counter[str]:
    """The number of tasks of each status."""
    return Counter(task["status"] for task in table["tasks"])


@pytest.fixture
async def opencode(opencode_server: OpenCode, project: Path) -> AsyncGenerator[Backend]:
    seen = backend(opencode_server, project)
    async with seen.http:
        yield seen


def twenty(case: str) -> list[Json]:
    """Twenty tasks: the third fails, the sixth and ninth ask, the twelfth costs too much."""
    never = step(text("On."), hold(f"too dear {case}"))
    dear = step(write(f"dear-{case}.txt", "x\n"), usage(input=90_000, output=5))
    tasks = [says(f"Task {number}") for number in range(1, 21)]
    tasks[2] = says("Task 3", failure(401, "Invalid API key"))
    tasks[5] = says("Task 6", question("Which?", "Red", "Blue"), text("It is red."))
    tasks[8] = says("Task 9", question("Which?", "Red", "Blue"), text("It is red."))
    tasks[11] = says("Task 12", dear, never, max_cost=0.01)
    return tasks


async def most_at_once(host: Host, batch_id: str) -> int:
    """Watch a batch until nothing of it works, and return the largest number of tasks that worked at once."""
    most = 0
    while True:
        working = counts(await host.data("opencode_wait", session_id=batch_id, wait_seconds=0))
        if not working["running"] + working["queued"]:
            return most
        most = max(most, working["running"])
        await anyio.sleep(0.1)


async def test_twenty_tasks_of_which_some_fail_ask_and_cost_too_much(host: Host, workplace: Path, case: str) -> None:
    common = {"directory": str(workplace)}
    begun = await host.data("opencode_run_many", tasks=twenty(case), parallel=4, common=common, wait_seconds=0)
    batch_id = begun["batch_id"]
    async with meanwhile(lambda: host.data("opencode_wait", session_id=batch_id, wait_seconds=100)) as returned:
        assert 2 <= await most_at_once(host.another(), batch_id) <= 4
    (table,) = returned
    assert table["status"] == "needs_input"
    assert counts(table) == {"completed": 16, "failed": 1, "needs_input": 2, "aborted": 1}
    assert [of(table, number)["task"] for number in (1, 20)] == ["Task 1", "Task 20"]
    assert "Invalid API key" in of(table, 3)["note"]
    assert "the limit is 0.01 USD" in of(table, 12)["note"]
    assert table["totals"]["cost"] > 0.01
    assert sum("completed: Task" in line for line in host.lines) == counts(table)["completed"]

    asked = await host.wait(of(table, 6)["session_id"], wait_seconds=0)
    await host.data("opencode_reply_question", request_id=asked["pending"][0]["request_id"], answers=[["Red"]])
    one = await host.data("opencode_wait", session_id=f"{batch_id}.6", wait_seconds=20)
    assert (one["status"], one["note"].startswith(f"Task {batch_id}.6.")) == ("completed", True)
    table = await host.data("opencode_abort", session_id=batch_id)
    assert counts(table) == {"completed": 17, "failed": 1, "aborted": 2}
    assert "opencode_diff" not in table["next"], "no completed task changed files"


async def test_queued_tasks_show_their_place_and_are_stopped_without_being_sent(
    host: Host, workplace: Path, scripted_model: ScriptedModel, case: str
) -> None:
    tasks = [says("Long", step(text("On."), hold(f"long {case}"))), says("Next"), says("Last")]
    common = {"directory": str(workplace)}
    table = await host.data("opencode_run_many", tasks=tasks, parallel=1, common=common, wait_seconds=0)
    batch_id = table["batch_id"]
    await scripted_model.reached(f"long {case}")
    one = await host.data("opencode_wait", session_id=f"{batch_id}.1", wait_seconds=0)
    assert (one["status"], one["note"].startswith(f"Task {batch_id}.1.")) == ("running", True)
    table = await host.data("opencode_wait", session_ids=[f"{batch_id}.2", f"{batch_id}.3"], wait_seconds=0)
    assert [(task["status"], task["place"]) for task in table["tasks"]] == [("queued", 1), ("queued", 2)]
    stopped = await host.data("opencode_abort", session_id=f"{batch_id}.2")
    assert of(stopped, 1)["status"] == "aborted"
    assert "prompt was not sent" in of(stopped, 1)["note"]
    async with meanwhile(lambda: host.data("opencode_wait", session_id=batch_id, until="any")) as returned:
        await scripted_model.release(f"long {case}")
    assert of(returned[0], 1)["status"] == "completed"
    table = await host.data("opencode_wait", session_id=batch_id)
    assert [task["status"] for task in table["tasks"]] == ["completed", "aborted", "completed"]
    assert of(table, 1)["answer"].startswith("On.")


async def test_the_limit_of_a_batch_counts_what_runs_and_stops_that_at_its_next_step(
    host: Host, workplace: Path, scripted_model: ScriptedModel, case: str
) -> None:
    dear = step(write(f"dear-batch-{case}.txt", "x\n"), usage(input=90_000, output=5))
    never = step(text("On."), hold(f"never {case}"))
    slow = step(hold(f"slow {case}"), write(f"slow-batch-{case}.txt", "x\n"))
    tasks = [says("Slow", slow, never), says("Dear", dear, never), says("Late")]
    common = {"directory": str(workplace)}
    begun = await host.data("opencode_run_many", tasks=tasks, parallel=2, max_cost=0.01, common=common, wait_seconds=0)
    batch_id = begun["batch_id"]
    table = await host.data("opencode_wait", session_ids=[f"{batch_id}.2", f"{batch_id}.3"], wait_seconds=60)
    assert [task["status"] for task in table["tasks"]] == ["aborted", "aborted"]
    assert "The run was stopped: its batch has cost" in of(table, 1)["note"]
    assert "Not started: the batch has cost" in of(table, 2)["note"]
    await scripted_model.release(f"slow {case}")
    table = await host.data("opencode_wait", session_id=batch_id, wait_seconds=60)
    assert of(table, 1)["status"] == "aborted"
    assert "its batch has cost" in of(table, 1)["note"]


@pytest.mark.usefixtures("without_latest_sessions")
async def test_runs_in_worktrees_and_in_other_projects_take_places(
    host: Host, workplace: Path, scripted_model: ScriptedModel, launch: Launch, case: str
) -> None:
    elsewhere, isolated = f"elsewhere {case}", f"isolated {case}"
    other = await host.start(step(text("On."), hold(elsewhere)), directory=str(workplace))
    await scripted_model.reached(elsewhere)
    async with open_raw(launch.with_flags("--max-runs", "2")) as client:
        own = script(step(text("On."), hold(isolated)))
        await client.call("opencode_run", prompt=own, isolate=True, wait_seconds=0)
        await scripted_model.reached(isolated)
        begun = await client.call("opencode_run_many", tasks=[says("Waits")], wait_seconds=3)
        assert of(begun["structuredContent"], 1)["status"] == "queued"
        await scripted_model.release(elsewhere)
        assert (await host.wait(other))["status"] == "completed"
        table = await ended(client, begun["structuredContent"]["batch_id"])
        assert counts(table) == {"completed": 1}
        await scripted_model.release(isolated)


@pytest.mark.usefixtures("without_latest_sessions")
async def test_the_operator_can_have_a_cancelled_call_stop_its_batch(
    launch: Launch, scripted_model: ScriptedModel, case: str
) -> None:
    held = f"cancelled {case}"
    tasks = [says("Held", step(text("On."), hold(held))), says("Waits")]
    async with open_raw(launch.with_flags("--abort-on-cancel")) as client:
        arguments = {"tasks": tasks, "parallel": 1}
        number = await client.send("tools/call", {"name": "opencode_run_many", "arguments": arguments})
        await scripted_model.reached(held)
        (batch_id,) = (await client.call("opencode_status"))["structuredContent"]["batches"]
        await client.cancel(number, "the user pressed Esc")
        table = await ended(client, batch_id)
        assert [task["status"] for task in table["tasks"]] == ["aborted", "aborted"]
        assert "prompt was not sent" in of(table, 2)["note"]
        assert "session_id" not in of(table, 2)


async def test_a_wrong_task_is_named_and_nothing_is_queued(host: Host, workplace: Path) -> None:
    good = says("Good", directory=str(workplace))
    for bad, result in (
        ({"promt": "x"}, "did you mean `prompt`"),
        ({"prompt": "x", "session_id": "ses_1"}, "A task has no session_id."),
        ({"prompt": "x", "directory": "/elsewhere"}, "is outside of what is allowed"),
        ({"prompt": "x", "agent": "nobody"}, "OpenCode has no agent 'nobody'"),
        ({"prompt": "x", "max_cost": -1}, "max_cost"),
        ({"prompt": "x", "isolate": True, "base": "zzz"}, "has no branch or commit 'zzz'"),
        ({"prompt": " "}, "The prompt is empty."),
    ):
        error = await host.error("opencode_run_many", tasks=[good, bad])
        assert error.startswith("Task 2: "), error
        assert result in error
        assert "Nothing was started." in error
    assert "at most 100" in await host.error("opencode_run_many", tasks=[good] * 101)
    assert "Give either tasks" in await host.error("opencode_run_many", tasks=[good], prompt="x")
    for wrong in ("bat_zzz", "bat_0000000000"):
        unknown = await host.error("opencode_wait", session_id=wrong)
        assert f"There is no batch {wrong}" in unknown
    assert re.search(r"another state folder than /\S+\.", unknown)
    assert "one batch" in await host.error("opencode_wait", session_ids=["bat_00", "ses_1"])


def chosen(kind: int) -> list[int]:
    """The seeds of the rounds to play, of those in which bridges (0) or OpenCode (1) are killed.

    ``FAULT_SEEDS=all`` plays all.
    """
    named = os.environ.get("FAULT_SEEDS", "")
    seeds = SEEDS if named == "all" else [int(seed) for seed in named.split(",")] if named else SEEDS[::EACH]
    return [seed for seed in seeds if seed % 2 == kind]


async def ended(client: RawClient, batch_id: str) -> Json:
    """Wait for the end of a batch, and return its table."""

    async def look() -> Json:
        table = (await client.call("opencode_wait", session_id=batch_id, wait_seconds=20))["structuredContent"]
        return table if table["status"] not in {"running", "needs_input"} else {}

    return await eventually(look, seconds=100)


class Round:
    """A batch of six tasks, and the moments that its seed chose."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - chooses moments, guards nothing
        self.names = [f"Round {seed} task {number}" for number in range(6)]
        isolate = self.dice.random() < 0.5
        self.isolated = {number for number in range(6) if isolate and number % 2 == 0}
        self.tasks = [
            says(name, write(f"{number}.txt", f"{seed}\n"), words(20, delay=0.02), isolate=number in self.isolated)
            for number, name in enumerate(self.names)
        ]

    async def begin(self, client: RawClient) -> str:
        """Queue the batch, let it work for a while, and return its id."""
        begun = await client.call("opencode_run_many", tasks=self.tasks, parallel=2, wait_seconds=0)
        await anyio.sleep(self.dice.uniform(0, 4))
        return begun["structuredContent"]["batch_id"]

    async def check(self, client: RawClient, table: Json, opencode: Backend) -> None:
        """Check that each task was done once, and that nothing else is left."""
        assert counts(table) == {"completed": 6}, [task.get("note", "") for task in table["tasks"]]
        for name, task in zip(self.names, table["tasks"], strict=True):
            found = await client.call("opencode_list_sessions", search=name, limit=100)
            assert "structuredContent" in found, found
            rows = found["structuredContent"]["sessions"]
            assert [row["session_id"] for row in rows] == [task["session_id"]], name
            first, *others = await opencode.prompt_texts(task["session_id"])
            assert name in first
            assert all(GO_ON in other and name not in other for other in others), others
        status = await client.call("opencode_status")
        left = set(status["structuredContent"]["isolated_worktrees"].values())
        assert left == {table["tasks"][number]["session_id"] for number in self.isolated}


@pytest.mark.usefixtures("without_latest_sessions")
@pytest.mark.parametrize("seed", chosen(0))
async def test_a_batch_goes_on_in_the_next_bridge_when_its_bridge_is_killed(
    launch: Launch, opencode: Backend, seed: int
) -> None:
    played = Round(seed)
    # Bridges from the fork server hash texts alike, and those of a person do not: what is stored must not depend on it.
    named = launch.with_flags("--wait", "50", "--permissions", "human").as_installed()
    async with open_raw(named) as killed:
        batch_id = await played.begin(killed)
        killed.process.kill()
    async with open_raw(named) as client:
        await played.check(client, await ended(client, batch_id), opencode)


@pytest.fixture
def starting_launch(
    tmp_path: Path, scripted_model: ScriptedModel, project: Path, opencode_generation: Generation
) -> Iterator[Launch]:
    """A bridge that starts an OpenCode by itself."""
    launch = starting(tmp_path, scripted_model, project, opencode_generation)
    yield launch
    end_left_server(launch)


@pytest.mark.long
@pytest.mark.parametrize("seed", chosen(1))
async def test_a_batch_goes_on_when_opencode_is_killed_with_its_bridge_or_without(
    starting_launch: Launch, project: Path, opencode_generation: Generation, seed: int
) -> None:
    played = Round(seed)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(open_raw(starting_launch))
        if played.dice.random() < 0.8:
            # Else OpenCode starts for the batch, and may be killed before it has started.
            await client.call("opencode_list_sessions")
        batch_id = await played.begin(client)
        if played.dice.random() < 0.5:
            client.process.kill()
            end_left_server(starting_launch)
            client = await stack.enter_async_context(open_raw(starting_launch))
        else:
            end_left_server(starting_launch)
        table = await ended(client, batch_id)
        opencode = started_backend(starting_launch, project, opencode_generation)
        async with opencode.http:
            await played.check(client, table, opencode)


async def test_the_limits_of_a_task_hold_for_what_it_did_before_opencode_was_killed_too(
    starting_launch: Launch, scripted_model: ScriptedModel, case: str
) -> None:
    steps = [step(write(f"{number}.txt", "x\n")) for number in range(3)]
    tasks = [
        says("Goes on", *steps[:1], step(text("On."), hold(f"first {case}")), max_steps=4),
        says("Used up", *steps, step(text("On."), hold(f"second {case}")), max_steps=4),
    ]
    async with open_raw(starting_launch.with_flags("--max-steps", "4")) as client:
        batch_id = (await client.call("opencode_run_many", tasks=tasks, wait_seconds=0))["structuredContent"][
            "batch_id"
        ]
        await scripted_model.reached(f"first {case}")
        await scripted_model.reached(f"second {case}")

        async def is_listed() -> bool:
            # OpenCode 2 lists a step some time after it has begun.
            table = (await client.call("opencode_wait", session_id=batch_id, wait_seconds=0))["structuredContent"]
            shown = [await client.call("opencode_session", session_id=task["session_id"]) for task in table["tasks"]]
            return all("On." in session["content"][0]["text"] for session in shown)

        await eventually(is_listed)
        end_left_server(starting_launch)
        table = await ended(client, batch_id)
    assert [task["status"] for task in table["tasks"]] == ["completed", "aborted"]
    assert "its limits are used up (max_steps=4)" in of(table, 2)["note"]
