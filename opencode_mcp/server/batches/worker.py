"""Worker of the queue: starts what is next when there is room, and adopts the tasks of bridges that have died.

One worker runs in each bridge, from the start if there is a queue, else from the first batch on.
"""

import logging
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import BridgeError, InvalidSetting
from opencode_mcp.server.batches import task_runs
from opencode_mcp.server.new_runs import start_limits
from opencode_mcp.server.sessions import sessions_at_work

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.abc import TaskGroup

    from opencode_mcp.batch_queue.tasks import Task
    from opencode_mcp.server.bridge import Bridge

logger = logging.getLogger(__name__)

BATCH_TOOL = "opencode_run_many"
FIRST_CHECK_SECONDS = 3.0
"""Seconds after the start of the bridge at which it looks for a queue: a host that starts asks for lists first."""
BUSY_PAUSE = 2.0
"""Seconds between two looks at the queue while tasks of this scope are unfinished: another bridge may make room."""
IDLE_PAUSE = 30.0
"""The same while there are none."""


async def work_on_batches(bridge: "Bridge") -> None:
    """Run the worker of a bridge, if the bridge lists the tool for batches, until the bridge ends."""
    if BATCH_TOOL in bridge.unlisted_tools:
        return
    with anyio.move_on_after(FIRST_CHECK_SECONDS):
        await bridge.batches_needed.wait()
    if not bridge.has_queue:
        await bridge.batches_needed.wait()
    try:
        await BatchWorker(bridge).run()
    except InvalidSetting as error:
        logger.warning("nothing that is queued is started: %s", error)


class BatchWorker:
    """Worker of one bridge.

    Args:
        bridge: The parts of the server.

    Raises:
        InvalidSetting: The state folder cannot be used.
    """

    def __init__(self, bridge: "Bridge") -> None:
        self._bridge = bridge
        self._queue = bridge.batches
        self._runs = task_runs.BatchTaskRunner(bridge, self._queue)
        self._pause = BUSY_PAUSE
        """Seconds until the next look; each failure doubles them."""

    async def run(self) -> None:
        """Work until the bridge ends; what is unfinished then is adopted by another bridge, or the next one."""
        try:
            async with anyio.create_task_group() as tasks:
                while True:
                    change = self._queue.next_change
                    await self._queue.wait_change(await self._start_tasks(tasks), change)
        finally:
            self._queue.close()

    async def _start_tasks(self, tasks: "TaskGroup") -> float:
        """Start and adopt what is there, and return the seconds until the next look."""
        try:
            unfinished = await self._queue.unfinished()
            if not unfinished:
                return IDLE_PAUSE
            for task in await self._queue.adopt():
                tasks.start_soon(self._run_task, self._runs.resume, task)
            if any(task.status == "queued" for task in unfinished):
                await self._claim(tasks)
        except BridgeError as error:
            logger.warning("cannot start what is queued: %s", error)
            self._pause = min(self._pause * 2, IDLE_PAUSE)
        else:
            self._pause = BUSY_PAUSE
        return self._pause

    async def _claim(self, tasks: "TaskGroup") -> None:
        """Claim and start as many tasks as have room beside the other runs."""
        others = await sessions_at_work.sessions_at_work_anywhere(self._bridge)
        others -= set(await self._queue.sessions())
        most = self._bridge.settings.max_runs - len(others)
        for task in await self._queue.claim(most, await start_limits.room(self._bridge)):
            tasks.start_soon(self._run_task, self._runs.start, task)

    async def _run_task(self, work: "Callable[[Task], Awaitable[None]]", task: "Task") -> None:
        """Do work on a task. Whatever is wrong with one task, the bridge and the other tasks go on."""
        try:
            await work(task)
        except Exception as error:
            logger.exception("the work on %s failed", task.id)
            await self._runs.give_up(task, error)
