"""Tasks of batches that go on, read without a bridge."""

from typing import TYPE_CHECKING

from opencode_mcp.batch_queue import scope, task_queue
from opencode_mcp.batch_queue.queue_file import queue_file

if TYPE_CHECKING:
    from opencode_mcp.settings import Settings


async def has_unfinished_tasks(settings: "Settings") -> bool:
    """Return True if there are tasks that have not ended, of a bridge with these settings.

    Raises:
        InvalidSetting: The state folder cannot be used.
    """
    if not queue_file(settings.state_directory).exists():
        return False
    tasks = task_queue.Queue(settings.state_directory, scope.scope_of(settings))
    try:
        return bool(await tasks.unfinished())
    finally:
        tasks.close()
