"""Wait for the tasks of a batch, and stop them."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import anyio

from opencode_mcp.batch_queue.tasks import PREFIX, Batch, Task
from opencode_mcp.errors import BackendError, InvalidArgument, NotFound
from opencode_mcp.server.access.audit_notes.noted_action import note_action
from opencode_mcp.server.batches.task_table import headline, status_of, table_result, task_line
from opencode_mcp.server.bridge import bridge_of
from opencode_mcp.server.changes.unseen_changes import worktrees_of_sessions
from opencode_mcp.server.new_runs import start_limits
from opencode_mcp.server.open_calls import note_wait
from opencode_mcp.server.waiting.call_context import task_slot_of
from opencode_mcp.server.waiting.call_deadlines import deadlines_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcp_types import CallToolResult

    from opencode_mcp.runs.deadline import Deadline
    from opencode_mcp.runs.following.wait_callbacks import SendProgress
    from opencode_mcp.server.bridge import Bridge, BridgeContext

NAME = re.compile(rf"({PREFIX}[0-9A-Za-z]+)(?:\.([0-9]{{1,4}}))?", re.ASCII)
PAUSE = 1.0
"""Seconds after which the tasks of other bridges are looked at."""
SETTLE_SECONDS = 15.0
"""Time for stopped runs to end."""
AT_REST = frozenset({"needs_input", "completed", "failed", "aborted"})
"""Statuses of tasks for which nobody waits."""


@dataclass(frozen=True, slots=True)
class Named:
    """Tasks that a caller named."""

    batch_id: str
    numbers: frozenset[int]
    """Numbers of the tasks; empty: all of the batch."""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the ids of the tasks, or that of the batch for all of them."""
        return tuple(f"{self.batch_id}.{number}" for number in sorted(self.numbers)) or (self.batch_id,)

    def of(self, batch: Batch) -> list[Task]:
        """Return the named tasks of the batch.

        Raises:
            NotFound: It does not have one of them.
        """
        missing = self.numbers - {task.number for task in batch.tasks}
        if missing:
            raise NotFound(
                f"The batch {batch.id} has no task {min(missing)}.", hint=f"It has the tasks 1 to {len(batch.tasks)}."
            )
        return [task for task in batch.tasks if not self.numbers or task.number in self.numbers]


def named_tasks(names: "Sequence[str]") -> Named | None:
    """Return the tasks that a caller named; None if they are sessions.

    Raises:
        InvalidArgument: They are of several batches, or sessions are among them.
    """
    if not any(name.startswith(PREFIX) for name in names):
        return None
    matches = list(filter(None, map(NAME.fullmatch, names)))
    batches = {match[1] for match in matches}
    if len(matches) < len(names) or len(batches) != 1:
        raise InvalidArgument(
            "Only tasks of one batch can be named together.",
            hint=f"Name a batch as {PREFIX}..., or its tasks as {PREFIX}....1.",
        )
    return Named(batches.pop(), _numbers(matches))


def _numbers(matches: "Sequence[re.Match[str]]") -> frozenset[int]:
    """Return the numbers of the named tasks; none if a whole batch is among the names."""
    numbers = [match[2] for match in matches]
    return frozenset(map(int, numbers)) if all(numbers) else frozenset()


async def wait_for_tasks(
    bridge: "Bridge",
    named: Named,
    deadline: "Deadline",
    send_progress: "SendProgress",
    until: Literal["any", "all"] = "all",
) -> "CallToolResult":
    """Wait until the named tasks have ended or ask something, and return their table.

    Args:
        bridge: The parts of the server.
        named: The tasks.
        deadline: End of the wait; one that has passed allows one look.
        send_progress: Gets a line for each task that ends or asks.
        until: ``any``: only until the first task comes to rest that was not at rest before.

    Raises:
        NotFound: There is no such batch or task.
    """
    note_wait()
    batch = await _batch(bridge, named)
    before = _at_rest(named.of(batch))
    reported = before
    while not _is_enough(named.of(batch), before, until) and not deadline.passed:
        await bridge.batches.wait_change(min(PAUSE, deadline.remaining))
        batch = await _batch(bridge, named)
        now = named.of(batch)
        for task in now:
            if (task.number, status_of(task)) in _at_rest(now) - reported:
                await send_progress(f"{task_line(task)} · {headline(batch, now)}")
        reported = reported | _at_rest(now)
    return _table(bridge, batch, named.of(batch))


async def only_task(bridge: "Bridge", named: Named) -> Task | None:
    """Return the only named task, if its prompt was sent; else ``None``."""
    if len(named.numbers) != 1:
        return None
    [task] = named.of(await _batch(bridge, named))
    return task if task.session_id and task.status in {"running", *AT_REST} else None


def _table(bridge: "Bridge", batch: "Batch", tasks: "Sequence[Task]") -> "CallToolResult":
    worktrees = worktrees_of_sessions(bridge)
    return table_result(batch, tasks, bridge.unlisted_tools, worktrees, start_limits.queue_note(bridge, tasks))


def wait_limit(ctx: "BridgeContext", wait_seconds: float | None, named: Named) -> "Deadline":
    """Return the deadline of a wait for tasks; the call of a client that supports tasks becomes one after a while."""
    note_action(session=named.batch_id)
    deadlines, waits = deadlines_of(ctx, wait_seconds), bridge_of(ctx).waits
    slot = task_slot_of(ctx)
    if slot is None or deadlines.seconds <= slot.grace_seconds:
        return waits.deadline(deadlines.wait, deadlines.latest)
    slot.batch = named.names
    return waits.deadline(min(deadlines.wait, anyio.current_time() + slot.grace_seconds), deadlines.latest)


async def read_batch(bridge: "Bridge", named: Named) -> "tuple[CallToolResult, bool, str]":
    """Return the table of the named tasks, whether nobody needs to wait for them, and a line on them.

    Raises:
        NotFound: There is no such batch or task.
    """
    batch = await _batch(bridge, named)
    tasks = named.of(batch)
    table = _table(bridge, batch, tasks)
    return table, all(task.status in AT_REST for task in tasks), headline(batch, tasks)


async def _batch(bridge: "Bridge", named: Named) -> Batch:
    batch = await bridge.batches.batch(named.batch_id, reported=True)
    if batch is None:
        # A principal works on another machine, where this path would say nothing.
        own = "" if bridge.settings.principal else f" than {bridge.settings.state_directory}"
        raise NotFound(
            f"There is no batch {named.batch_id}.",
            hint="It may be deleted, since it ended long ago, or belong to an MCP server with other settings or with "
            f"another state folder{own}. opencode_list_sessions shows its sessions.",
        )
    named.of(batch)
    return batch


def _at_rest(tasks: "Sequence[Task]") -> frozenset[tuple[int, str]]:
    return frozenset((task.number, status_of(task)) for task in tasks if task.status in AT_REST)


def _is_enough(tasks: "Sequence[Task]", before: frozenset[tuple[int, str]], until: str) -> bool:
    if all(task.status in AT_REST for task in tasks):
        return True
    return until == "any" and bool(_at_rest(tasks) - before)


async def stop_tasks(bridge: "Bridge", named: Named) -> "CallToolResult":
    """Stop the named tasks: those that are queued are not started, and the runs of the others are aborted.

    Raises:
        NotFound: There is no such batch or task.
        BackendError: OpenCode could not be asked to stop.
    """
    tasks = named.of(await _batch(bridge, named))
    running = await bridge.batches.stop(named.batch_id, [task.number for task in tasks])
    failed: list[str] = []
    async with anyio.create_task_group() as stops:
        for task in running:
            stops.start_soon(_stop, bridge, task, failed)
    with anyio.move_on_after(SETTLE_SECONDS):
        while not all(task.status in AT_REST - {"needs_input"} for task in tasks):
            await bridge.batches.wait_change(PAUSE)
            tasks = named.of(await _batch(bridge, named))
    batch = await _batch(bridge, named)
    note = f"Could not stop {', '.join(failed)}. Call opencode_abort again." if failed else ""
    return table_result(batch, named.of(batch), bridge.unlisted_tools, worktrees_of_sessions(bridge), note)


async def _stop(bridge: "Bridge", task: Task, failed: list[str]) -> None:
    try:
        session = await bridge.fence.session(task.session_id)
        await bridge.runs.abort(await bridge.runs.find(session, task.message_id))
    except NotFound:
        return  # Its session was deleted.
    except BackendError:
        failed.append(task.id)
