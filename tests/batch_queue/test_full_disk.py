"""A full disk under the queue: a clear error, no half of a batch, and the queue as before once there is space again."""

from pathlib import Path

import pytest

from opencode_mcp.batch_queue.task_queue import Queue
from opencode_mcp.batch_queue.tasks import NewBatch, NewTask, TaskOutcome
from opencode_mcp.errors import InvalidSetting
from tests.harness.faults.small_disk import fill, make_room, small_disk

pytestmark = pytest.mark.anyio
SPACES = (0, 4096, 8192)


def a_batch(count: int) -> NewBatch:
    tasks = [NewTask(arguments={"prompt": "x" * 5000}, words=f"Task {number}") for number in range(count)]
    return NewBatch(scope="a", starter="agent", parallel=100, max_cost=None, tasks=tuple(tasks))


@pytest.mark.parametrize("free", SPACES)
async def test_a_batch_for_which_there_is_no_space_is_not_queued_and_those_before_it_stay(
    tmp_path: Path, free: int
) -> None:
    with small_disk(tmp_path / "disk", 1 << 20) as disk:
        queue = Queue(disk / "state", "a")
        fill(disk, free)
        with pytest.raises(InvalidSetting, match=r"full|No space"):
            await queue.add(a_batch(20))
        make_room(disk)
        assert await queue.unfinished() == []
        batch_id = await queue.add(a_batch(2))
        first, _ = await queue.claim(8)
        fill(disk, 0)
        for change in (queue.add(a_batch(20)), queue.finish(first, TaskOutcome(status="completed"))):
            with pytest.raises(InvalidSetting, match=r"full|No space|disk I/O error"):
                await change
        make_room(disk)
        assert [task.status for task in await queue.unfinished()] == ["starting", "starting"]
        await queue.finish(first, TaskOutcome(status="completed"))
        batch = await queue.batch(batch_id)
        assert batch
        assert [task.status for task in batch.tasks] == ["completed", "starting"]
        queue.close()
