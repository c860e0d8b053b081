"""Queue of tasks that the bridges of one user share: add and read batches, claim tasks, record what becomes of them.

A bridge that looks after tasks holds a lease, which the kernel releases when the bridge dies, however it dies. Then
another bridge adopts its tasks. A task is claimed in one transaction, and admitted in another one immediately before
its prompt is sent: so it is known of every task whether its prompt may have been sent, and by whom.

Rejected: libraries for task queues. They lose a task whose worker died, or run it again, while here the work goes on in
OpenCode, and a repetition would send a prompt twice; docs/dependencies.md compares them.
"""

import json
import secrets
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
from anyio import to_thread

from opencode_mcp.batch_queue.claims import adopt, at_work, claim
from opencode_mcp.batch_queue.rows import cost_of, read_batch, read_tasks, sql_list
from opencode_mcp.batch_queue.store import Store
from opencode_mcp.batch_queue.tasks import AT_WORK, CLAIMED, PREFIX, UNFINISHED, Batch, NewBatch, Task, TaskOutcome
from opencode_mcp.disk.bridge_locks import Lease

T = TypeVar("T")
QUEUED = "status = 'queued', owner = '', message_id = '', session_id = ?"
"""Fields of a task that waits for its place."""
DAY_SECONDS = 86_400.0
KEPT_REPORTED_SECONDS = DAY_SECONDS
"""Seconds for which a batch is kept after all its tasks have ended and were reported."""
KEPT_UNREPORTED_SECONDS = 30 * DAY_SECONDS
"""Seconds for which a batch is kept after its last task has ended, if it was not reported."""
STOPPED = "Stopped while it was queued: its prompt was not sent."


class Queue:
    """The queue, as one bridge uses it.

    Args:
        state_directory: State folder.
        scope: Digest of everything that decides what the runs of this bridge may do; batches of others do not exist
            for it.
    """

    def __init__(self, state_directory: Path, scope: str) -> None:
        self._store = Store(state_directory)
        self._scope = scope
        self._lease: Lease | None = None
        self._change = anyio.Event()

    def note_change(self) -> None:
        """Wake those who wait for a change."""
        self._change.set()
        self._change = anyio.Event()

    @property
    def next_change(self) -> anyio.Event:
        """Return the event of the next change: taken before a look, it also reports a change during that look."""
        return self._change

    async def wait_change(self, seconds: float, change: anyio.Event | None = None) -> None:
        """Wait for a change by this bridge, or for some seconds: other bridges change tasks, too.

        Args:
            seconds: The longest wait.
            change: The change; ``None``: the next one.
        """
        with anyio.move_on_after(seconds):
            await (change or self._change).wait()

    async def add(self, batch: NewBatch) -> str:
        """Queue a batch, and return its id. Batches that are over long since are deleted."""
        batch_id = await _in_thread(self._add, batch)
        self.note_change()
        return batch_id

    def _add(self, batch: NewBatch) -> str:
        batch_id, now = PREFIX + secrets.token_hex(5), time.time()
        with self._store.transaction() as connection:
            _expire(connection.execute, now)
            connection.execute(
                "INSERT INTO batch (id, scope, starter, created, parallel, max_cost) VALUES (?, ?, ?, ?, ?, ?)",
                (batch_id, batch.scope, batch.starter, now, batch.parallel, batch.max_cost),
            )
            connection.executemany(
                "INSERT INTO task (batch, number, arguments, words) VALUES (?, ?, ?, ?)",
                [
                    (batch_id, number, json.dumps(task.arguments), task.words)
                    for number, task in enumerate(batch.tasks, 1)
                ],
            )
        return batch_id

    async def batch(self, batch_id: str, *, reported: bool = False) -> Batch | None:
        """Return a batch with its tasks; None if there is none with this id in this scope.

        Args:
            batch_id: The id.
            reported: Whether it is reported to a caller now.
        """
        return await _in_thread(self._batch, batch_id, reported)

    def _batch(self, batch_id: str, reported: bool) -> Batch | None:  # noqa: FBT001 - called by ``batch`` alone
        with self._store.transaction() as connection:
            found = read_batch(connection, batch_id, self._scope)
            if found and reported and found.is_over:
                connection.execute(
                    "UPDATE batch SET reported = ? WHERE id = ? AND reported IS NULL", (time.time(), batch_id)
                )
            return found

    async def open_batches(self) -> dict[str, tuple[int, int]]:
        """Return how many tasks have ended, of how many, for each batch that is not over or was not reported."""
        return await _in_thread(self._open_batches)

    def _open_batches(self) -> dict[str, tuple[int, int]]:
        with self._store.transaction() as connection:
            rows = connection.execute(
                "SELECT id, count(ended) AS ended, count(*) AS tasks FROM batch JOIN task ON task.batch = batch.id "
                "WHERE scope = ? AND reported IS NULL GROUP BY id ORDER BY created DESC",
                (self._scope,),
            )
            return {row["id"]: (row["ended"], row["tasks"]) for row in rows}

    async def unfinished(self) -> list[Task]:
        """Return the tasks of this scope that have not ended."""
        return await _in_thread(self._unfinished)

    def _unfinished(self) -> list[Task]:
        with self._store.transaction() as connection:
            return read_tasks(connection, f"scope = ? AND status IN ({sql_list(UNFINISHED)})", self._scope)

    async def sessions(self) -> list[str]:
        """Return the sessions of all tasks that have not ended, those of other scopes included."""
        return await _in_thread(self._sessions)

    def _sessions(self) -> list[str]:
        with self._store.transaction() as connection:
            return [task.session_id for task in read_tasks(connection, f"status IN ({sql_list(CLAIMED)})")]

    async def claim(self, most: int, at_once: int | None = None) -> list[Task]:
        """Claim the tasks that are next, and return them.

        Args:
            most: Most tasks of all bridges that may be at work, without what else OpenCode works on.
            at_once: Most tasks to claim; ``None`` for no limit.
        """
        return await _in_thread(self._claim, most, at_once)

    def _claim(self, most: int, at_once: int | None) -> list[Task]:
        with self._store.transaction() as connection:
            room = most - at_work(connection, self._store.folder)
            return claim(connection, self._scope, self._owner(), room if at_once is None else min(room, at_once))

    async def adopt(self) -> list[Task]:
        """Take over the tasks of this scope whose bridge has died, and return them."""
        return await _in_thread(self._adopt)

    def _adopt(self) -> list[Task]:
        with self._store.transaction() as connection:
            return adopt(connection, self._scope, self._owner(), self._store.folder)

    def _owner(self) -> str:
        """Return the name of this bridge's lease, which is taken in a transaction: others look at leases in theirs."""
        self._lease = self._lease or Lease(self._store.folder)
        return self._lease.name

    async def name_prompt(self, task: Task, message_id: str) -> None:
        """Record the id of a claimed task's prompt, before anything is made in OpenCode for it."""
        await self._record(task, "message_id = ?", message_id)

    async def admit(self, task: Task, session_id: str) -> bool:
        """Record that the prompt of a task is sent now; return False if it must not be sent."""
        return await self._record(
            task, "status = 'running', session_id = ?", session_id, only_if="status = 'starting' AND stop = 0"
        )

    async def put_back(self, task: Task, seconds: float = 0, *, session_id: str = "") -> None:
        """Queue a task again whose prompt OpenCode certainly does not have.

        Args:
            task: The task.
            seconds: Time for which it is not claimed.
            session_id: Session in which it goes on; empty: it begins one.
        """
        await self._record(task, f"{QUEUED}, not_before = ?", session_id, time.time() + seconds)

    async def go_on(self, task: Task, session_id: str, arguments: str) -> bool:
        """Queue a task whose run broke off, unless it is to be stopped; return True if it is queued.

        Args:
            task: The task.
            session_id: Its session.
            arguments: The order for the rest of the work.
        """
        return await self._record(task, f"{QUEUED}, arguments = ?", session_id, arguments, only_if="stop = 0")

    async def note_asking(self, task: Task, *, asks: bool) -> None:
        """Record whether the run of a task waits for an answer."""
        await self._record(task, "status = ?", "needs_input" if asks else "running")

    async def note_cost(self, task: Task, cost: float) -> float:
        """Record what the run of a task has cost so far, and return the cost of its batch, both in US dollars."""
        total = await _in_thread(self._note_cost, task, cost)
        self.note_change()
        return total

    def _note_cost(self, task: Task, cost: float) -> float:
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE task SET cost = ? WHERE batch = ? AND number = ? AND owner = ? "  # noqa: S608 - our texts
                f"AND status IN ({sql_list(CLAIMED)})",
                (cost, task.batch, task.number, self._owner()),
            )
            return cost_of(connection, task.batch)

    async def finish(self, task: Task, outcome: TaskOutcome) -> None:
        """Record the end of a task, and forget its prompt."""
        names = ("status", "note", "files", "added", "removed", "names", "cost", "seconds", "verified", "answer")
        fields = ", ".join(f"{name} = ?" for name in names)
        values = [getattr(outcome, name) for name in names]
        await self._record(task, f"{fields}, ended = ?, arguments = ''", *values, time.time())

    async def _record(self, task: Task, fields: str, *values: object, only_if: str = "1") -> bool:
        """Change a task of this bridge, and return False if it is not one any more."""
        done = await _in_thread(partial(self._update, task, fields, only_if), *values)
        self.note_change()
        return done

    def _update(self, task: Task, fields: str, only_if: str, *values: object) -> bool:
        with self._store.transaction() as connection:
            done = connection.execute(
                f"UPDATE task SET {fields} WHERE batch = ? AND number = ? AND owner = ? AND {only_if} "  # noqa: S608 - texts of this module
                f"AND status IN ({sql_list(CLAIMED)})",
                (*values, task.batch, task.number, self._owner()),
            )
            return done.rowcount > 0

    async def stop(self, batch_id: str, numbers: Iterable[int]) -> list[Task]:
        """End the queued ones of some tasks of a batch, and return those whose prompt OpenCode may have.

        A prompt that is about to be sent is not sent any more.
        """
        running = await _in_thread(self._stop, batch_id, sorted(set(numbers)))
        self.note_change()
        return running

    def _stop(self, batch_id: str, numbers: list[int]) -> list[Task]:
        named = f"task.batch = ? AND number IN ({', '.join(map(str, numbers))})"
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE task SET status = 'aborted', note = ?, ended = ?, arguments = '' "  # noqa: S608 - numbers only
                f"WHERE {named} AND status = 'queued'",
                (STOPPED, time.time(), batch_id),
            )
            connection.execute(
                f"UPDATE task SET stop = 1 WHERE {named} AND status IN ({sql_list(AT_WORK)})",  # noqa: S608 - the same
                (batch_id,),
            )
            return read_tasks(connection, f"{named} AND status IN ('running', 'needs_input')", batch_id)

    def close(self) -> None:
        """Release the lease, so that others adopt at once what is not finished."""
        if self._lease is not None:
            self._lease.release()
            self._lease = None


def _expire(execute: Callable[..., object], now: float) -> None:
    """Delete the batches that are over long since, with their tasks."""
    execute(
        "DELETE FROM batch WHERE id NOT IN (SELECT batch FROM task WHERE ended IS NULL) AND (reported < ? OR "
        "(SELECT max(ended) FROM task WHERE batch = batch.id) < ?)",
        (now - KEPT_REPORTED_SECONDS, now - KEPT_UNREPORTED_SECONDS),
    )


async def _in_thread(work: Callable[..., T], *arguments: object) -> T:
    # A transaction ends by itself; a cancelled one would leave the caller not knowing whether it took place.
    return await to_thread.run_sync(work, *arguments)
