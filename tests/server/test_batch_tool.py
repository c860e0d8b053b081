"""A call that is cancelled while its batch is being queued: the batch is whole, and known to those who stop it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from opencode_mcp.batch_queue.queue_file import queue_file
from opencode_mcp.batch_queue.scope import scope_of
from opencode_mcp.batch_queue.tasks import NewBatch, NewTask
from opencode_mcp.server.batches import new_batches
from opencode_mcp.server.bridge import Bridge
from opencode_mcp.server.notifications.subscriptions import Subscriptions
from opencode_mcp.server.tools.batch_tool import opencode_run_many
from opencode_mcp.settings import Settings
from tests.harness.waiting import eventually
from tests.server.waiting.test_wait import call_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("abort", "status"), [(False, "queued"), (True, "aborted")])
async def test_a_batch_whose_call_is_cancelled_meanwhile_is_queued_as_a_whole(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    abort: bool,  # noqa: FBT001
    status: str,
) -> None:
    settings = Settings(state_directory=tmp_path, abort_on_cancel=abort)
    tasks = tuple(NewTask(arguments={"prompt": "x"}, words=f"Task {number}") for number in range(3))
    batch = NewBatch(scope=scope_of(settings), starter="agent", parallel=1, max_cost=None, tasks=tasks)

    async def new_batch(*_: object) -> NewBatch:
        return batch

    monkeypatch.setattr(new_batches, "new_batch", new_batch)
    async with anyio.create_task_group() as background:
        bridge = Bridge(settings, background, Subscriptions())
        assert await bridge.batches.unfinished() == []
        with closing(sqlite3.connect(queue_file(tmp_path), isolation_level=None)) as other:
            # Another bridge uses the queue, so the call waits for its turn.
            other.execute("BEGIN IMMEDIATE")
            async with anyio.create_task_group() as calls:
                scope = anyio.CancelScope()

                async def call() -> None:
                    with scope:
                        await opencode_run_many.handler(call_of(bridge))

                calls.start_soon(call)
                await anyio.wait_all_tasks_blocked()
                scope.cancel()
                other.execute("ROLLBACK")

        async def is_whole() -> bool:
            with closing(sqlite3.connect(queue_file(tmp_path))) as file:
                return file.execute("SELECT status FROM task").fetchall() == [(status,)] * len(tasks)

        await eventually(is_whole)
        background.cancel_scope.cancel()
