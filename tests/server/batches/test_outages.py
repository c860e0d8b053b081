"""Tasks while OpenCode is away: they wait together, and no error of one of them ends the bridge."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio
import pytest

from opencode_mcp.batch_queue.task_queue import Queue
from opencode_mcp.batch_queue.tasks import NewBatch, NewTask, Task
from opencode_mcp.errors import BackendUnavailable, NotFound, OpenCodeNotStarting
from opencode_mcp.launcher.outages import Outages
from opencode_mcp.server.batches import task_runs
from opencode_mcp.server.batches.task_runs import BatchTaskRunner
from opencode_mcp.server.batches.worker import BatchWorker
from opencode_mcp.server.bridge import Bridge

pytestmark = pytest.mark.anyio

SCOPE = "scope"


class Failing:
    """Something that fails some times before it works."""

    def __init__(self, times: int, error: Exception) -> None:
        self.left = times
        self.calls = 0
        self._error = error

    async def __call__(self, *_arguments: object) -> str:
        """Fail, or work."""
        self.calls += 1
        if self.left:
            self.left -= 1
            raise self._error
        return "done"


async def test_an_action_is_repeated_until_opencode_is_there() -> None:
    reach, act = Failing(2, OpenCodeNotStarting("It ended.")), Failing(2, BackendUnavailable("It is away."))
    assert await Outages(reach, pause=0).repeat(act) == "done"
    assert (reach.calls, act.calls) == (5, 3)


async def test_the_tasks_of_a_bridge_try_together_and_give_up_together() -> None:
    reach = Failing(10, OpenCodeNotStarting("It ended."))
    outages = Outages(reach, longest=0, pause=0)
    for calls in (1, 2):
        with pytest.raises(OpenCodeNotStarting):
            await outages.wait_over()
        assert reach.calls == calls
    patient = Outages(Failing(3, OpenCodeNotStarting("It ended.")), pause=0)
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(patient.wait_over)


async def test_an_action_that_is_refused_is_not_repeated() -> None:
    act = Failing(1, NotFound("There is no such session."))
    with pytest.raises(NotFound):
        await Outages(Failing(0, NotFound("")), pause=0).repeat(act)
    assert act.calls == 1


async def test_an_action_that_fails_for_too_long_is_given_up() -> None:
    act = Failing(5, BackendUnavailable("It is away."))
    with pytest.raises(BackendUnavailable):
        await Outages(Failing(0, NotFound("")), longest=0, pause=0).repeat(act)
    assert act.calls == 1


async def claimed(queue: Queue) -> Task:
    """A task that was claimed."""
    new = NewTask(arguments={"prompt": "Work."}, words="Work.")
    await queue.add(NewBatch(scope=SCOPE, starter="agent", parallel=1, max_cost=None, tasks=(new,)))
    (task,) = await queue.claim(1)
    return task


def bridge_with(reach: Callable[..., Awaitable[object]], queue: Queue) -> Bridge:
    """The parts of a bridge that a start needs before its prompt is sent."""
    hub = SimpleNamespace(ensure=reach, servers_found=1)
    client = SimpleNamespace(clock=SimpleNamespace(now=lambda: 0.0))
    settings = SimpleNamespace(max_runs=1)
    return cast(
        "Bridge",
        SimpleNamespace(hub=hub, client=client, batches=queue, settings=settings, outages=Outages(reach, pause=0)),
    )


async def test_a_start_that_failed_is_queued_again_when_opencode_can_be_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed = Failing(2, OpenCodeNotStarting("It ended."))
    monkeypatch.setattr(task_runs, "start_run", Failing(1, BackendUnavailable("It is away.")))
    monkeypatch.setattr(task_runs, "remove_rest", removed)
    queue = Queue(tmp_path, SCOPE)
    task = await claimed(queue)
    await BatchTaskRunner(bridge_with(Failing(3, OpenCodeNotStarting("It ended.")), queue), queue).start(task)
    assert removed.calls == 3
    assert [left.status for left in await queue.unfinished()] == ["queued"]
    queue.close()


@pytest.mark.parametrize(
    ("error", "expected"), [(ValueError("secret"), "its log has the details"), (NotFound("It is gone."), "It is gone.")]
)
async def test_an_error_of_one_task_ends_that_task_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, expected: str
) -> None:
    queue = Queue(tmp_path, SCOPE)
    worker = BatchWorker(bridge_with(Failing(0, error), queue))

    async def room(_bridge: Any) -> None:  # noqa: ANN401 - a stand-in
        return None

    async def nothing(_bridge: Any) -> set[str]:  # noqa: ANN401 - a stand-in
        return set()

    monkeypatch.setattr("opencode_mcp.server.new_runs.start_limits.room", room)
    monkeypatch.setattr("opencode_mcp.server.sessions.sessions_at_work.sessions_at_work_anywhere", nothing)
    monkeypatch.setattr(BatchTaskRunner, "start", Failing(1, error))
    new = NewTask(arguments={"prompt": "Work."}, words="Work.")
    batch_id = await queue.add(NewBatch(scope=SCOPE, starter="agent", parallel=1, max_cost=None, tasks=(new,)))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(worker.run)
        while await queue.unfinished():
            await queue.wait_change(1)
        tasks.cancel_scope.cancel()
    batch = await queue.batch(batch_id)
    assert batch
    (task,) = batch.tasks
    assert task.status == "failed"
    assert expected in task.note
    assert "secret" not in task.note
