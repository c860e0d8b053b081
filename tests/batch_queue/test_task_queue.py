"""The queue: tasks are claimed once and in order, adopted from dead bridges, and their prompts are forgotten."""

import sqlite3
import stat
import sys
from collections.abc import AsyncGenerator
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from opencode_mcp.batch_queue import task_queue
from opencode_mcp.batch_queue.queue_file import queue_file
from opencode_mcp.batch_queue.rows import queued_elsewhere
from opencode_mcp.batch_queue.store import LATER_COLUMNS, Store
from opencode_mcp.batch_queue.task_queue import Queue
from opencode_mcp.batch_queue.tasks import NewBatch, NewTask, Task, TaskOutcome
from opencode_mcp.errors import InvalidSetting

pytestmark = pytest.mark.anyio
SECRET = "the prompt with a secret"


def a_batch(count: int, *, parallel: int = 100, scope: str = "a", max_cost: float | None = None) -> NewBatch:
    tasks = [NewTask(arguments={"prompt": f"{SECRET} {number}"}, words=f"Task {number}") for number in range(count)]
    return NewBatch(scope=scope, starter="agent", parallel=parallel, max_cost=max_cost, tasks=tuple(tasks))


@pytest.fixture
async def queue(tmp_path: Path) -> AsyncGenerator[Queue]:
    made = Queue(tmp_path, "a")
    yield made
    made.close()


def numbers(tasks: list[Task]) -> list[int]:
    return [task.number for task in tasks]


async def statuses(queue: Queue, batch_id: str) -> list[str]:
    batch = await queue.batch(batch_id)
    assert batch
    return [task.status for task in batch.tasks]


async def test_tasks_are_claimed_in_their_order_as_far_as_there_is_room(queue: Queue) -> None:
    first, second = await queue.add(a_batch(5, parallel=2)), await queue.add(a_batch(3))
    claimed = await queue.claim(4)
    assert [task.id for task in claimed] == [f"{first}.1", f"{first}.2", f"{second}.1", f"{second}.2"]
    assert await queue.claim(4) == []
    await queue.finish(claimed[0], TaskOutcome(status="completed"))
    assert [task.id for task in await queue.claim(4)] == [f"{first}.3"]
    waiting = await queue.batch(second)
    assert waiting
    assert waiting.ahead == 2


async def test_tasks_of_other_settings_are_not_ahead_and_are_found_for_the_operator(
    queue: Queue, tmp_path: Path
) -> None:
    other = Queue(tmp_path, "b")
    stranded = await other.add(a_batch(2, scope="b"))
    own = await queue.batch(await queue.add(a_batch(1)))
    assert own
    assert own.ahead == 0
    with Store(tmp_path).transaction() as connection:
        assert queued_elsewhere(connection, "a") == [stranded]
        assert queued_elsewhere(connection, "b") == [own.id]


async def test_a_change_while_somebody_looks_is_not_missed(queue: Queue) -> None:
    change = queue.next_change
    assert await queue.unfinished() == []
    await queue.add(a_batch(1))
    with anyio.fail_after(20):
        await queue.wait_change(600, change)


async def test_a_bridge_can_claim_less_than_there_is_room_for(queue: Queue) -> None:
    await queue.add(a_batch(3))
    assert numbers(await queue.claim(8, 0)) == []
    assert numbers(await queue.claim(8, 1)) == [1]
    assert numbers(await queue.claim(8, 5)) == [2, 3]


async def test_a_task_that_waits_for_an_answer_takes_no_place(queue: Queue) -> None:
    await queue.add(a_batch(2, parallel=1))
    (task,) = await queue.claim(1)
    assert await queue.admit(task, "ses_1")
    await queue.note_asking(task, asks=True)
    assert numbers(await queue.claim(1)) == [2]


async def test_queues_that_claim_at_once_get_each_task_once(tmp_path: Path) -> None:
    bridges = [Queue(tmp_path, "a") for _ in range(4)]
    await bridges[0].add(a_batch(40))
    claimed: list[int] = []

    async def work(bridge: Queue) -> None:
        for most in range(1, 41):
            claimed.extend(numbers(await bridge.claim(most)))

    async with anyio.create_task_group() as tasks:
        for bridge in bridges:
            tasks.start_soon(work, bridge)
    assert sorted(claimed) == list(range(1, 41))
    for bridge in bridges:
        bridge.close()


async def test_the_tasks_of_a_dead_bridge_are_adopted_and_those_of_a_live_one_are_not(
    queue: Queue, tmp_path: Path
) -> None:
    other = Queue(tmp_path, "a")
    await queue.add(a_batch(2))
    (first, second) = await other.claim(8)
    assert await other.admit(first, "ses_1")
    assert await queue.adopt() == []
    other.close()
    assert [(task.number, task.session_id, task.status) for task in await queue.adopt()] == [
        (1, "ses_1", "running"),
        (2, "", "starting"),
    ]
    assert await queue.adopt() == []
    assert not await other.admit(second, "ses_2")
    other.close()


async def test_a_task_is_admitted_once_and_not_after_it_was_stopped(queue: Queue) -> None:
    batch_id = await queue.add(a_batch(3))
    admitted, stopped = await queue.claim(2)
    assert await queue.admit(admitted, "ses_1")
    assert not await queue.admit(admitted, "ses_1")
    running = await queue.stop(batch_id, [1, 2, 3])
    assert numbers(running) == [1]
    assert not await queue.admit(stopped, "ses_2")
    assert await statuses(queue, batch_id) == ["running", "starting", "aborted"]


async def test_a_task_that_is_put_back_waits_before_it_is_claimed_again(queue: Queue) -> None:
    batch_id = await queue.add(a_batch(1))
    (task,) = await queue.claim(8)
    await queue.put_back(task, 60)
    assert await queue.claim(8) == []
    assert await statuses(queue, batch_id) == ["queued"]


async def test_a_batch_of_another_scope_does_not_exist(queue: Queue, tmp_path: Path) -> None:
    other = Queue(tmp_path, "b")
    batch_id = await other.add(a_batch(1, scope="b"))
    assert await queue.batch(batch_id) is None
    assert await queue.claim(8) == []
    assert await queue.unfinished() == []
    await other.claim(8)
    other.close()
    assert await queue.adopt() == []


async def test_places_are_shared_between_scopes_but_not_with_the_dead(queue: Queue, tmp_path: Path) -> None:
    other = Queue(tmp_path, "b")
    await other.add(a_batch(2, scope="b"))
    await queue.add(a_batch(4))
    assert len(await other.claim(8)) == 2
    assert numbers(await queue.claim(3)) == [1]
    other.close()
    assert numbers(await queue.claim(3)) == [2, 3]


async def test_no_task_is_started_after_the_batch_has_reached_its_limit(queue: Queue) -> None:
    batch_id = await queue.add(a_batch(3, parallel=1, max_cost=0.5))
    (task,) = await queue.claim(8)
    await queue.finish(task, TaskOutcome(status="completed", cost=0.5))
    assert await queue.claim(8) == []
    batch = await queue.batch(batch_id)
    assert batch
    assert batch.is_over
    assert batch.tasks[2].note == "Not started: the batch has cost 0.5 USD, and its limit is 0.5 USD."


async def test_the_cost_of_what_runs_counts_towards_the_limit_of_the_batch(queue: Queue) -> None:
    batch_id = await queue.add(a_batch(3, parallel=2, max_cost=0.5))
    first, second = await queue.claim(8)
    assert await queue.note_cost(first, 0.2) == pytest.approx(0.2)
    assert await queue.note_cost(second, 0.1) == pytest.approx(0.3)
    assert await queue.note_cost(first, 0.4) == pytest.approx(0.5)
    assert await queue.claim(8) == []
    assert await statuses(queue, batch_id) == ["starting", "starting", "aborted"]
    await queue.finish(first, TaskOutcome(status="completed", cost=0.4))
    await queue.put_back(second)
    batch = await queue.batch(batch_id)
    assert batch
    assert [task.cost for task in batch.tasks] == [0.4, 0.1, 0]


async def test_prompts_are_for_their_owner_alone_and_forgotten_when_they_have_ended(
    queue: Queue, tmp_path: Path
) -> None:
    batch_id = await queue.add(a_batch(2))
    path = queue_file(tmp_path)
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SECRET.encode() in path.read_bytes()
    first, second = await queue.claim(8)
    await queue.finish(first, TaskOutcome(status="completed"))
    await queue.put_back(second)
    await queue.stop(batch_id, [2])
    assert SECRET.encode() not in path.read_bytes()
    assert sorted(file.name for file in path.parent.iterdir() if not file.name.endswith(".lease")) == [path.name]


async def test_a_batch_that_is_over_is_deleted_a_day_after_it_was_reported(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    over, unreported, queued = [await queue.add(a_batch(1)) for _ in range(3)]
    await queue.stop(over, [1])
    await queue.stop(unreported, [1])
    await queue.batch(over, reported=True)
    now = task_queue.time.time()
    monkeypatch.setattr(task_queue.time, "time", lambda: now + task_queue.DAY_SECONDS + 1)
    await queue.add(a_batch(1))
    assert [bool(await queue.batch(batch_id)) for batch_id in (over, unreported, queued)] == [False, True, True]
    monkeypatch.setattr(task_queue.time, "time", lambda: now + 31 * task_queue.DAY_SECONDS)
    await queue.add(a_batch(1))
    assert [bool(await queue.batch(batch_id)) for batch_id in (unreported, queued)] == [False, True]


async def test_a_damaged_file_is_an_error_of_the_operators_that_names_it(queue: Queue, tmp_path: Path) -> None:
    path = queue_file(tmp_path)
    path.parent.mkdir()
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(InvalidSetting, match=r"queue\.sqlite3") as raised:
        await queue.add(a_batch(1))
    assert "remove it" in raised.value.hint


async def test_a_file_of_an_earlier_version_gets_the_columns_that_it_lacks(tmp_path: Path) -> None:
    earlier = Queue(tmp_path, "a")
    batch = await earlier.add(a_batch(1))
    earlier.close()
    with closing(sqlite3.connect(queue_file(tmp_path))) as connection:
        for column in LATER_COLUMNS:
            connection.execute(f"ALTER TABLE task DROP COLUMN {column}")
        connection.commit()
    later = Queue(tmp_path, "a")
    (task,) = await later.claim(1)
    await later.finish(task, TaskOutcome(status="completed", files=1, names="a.py", answer="Done."))
    found = await later.batch(batch)
    later.close()
    assert found
    assert [(task.names, task.answer) for task in found.tasks] == [("a.py", "Done.")]
