"""Rows of the queue's tables, read as batches and tasks."""

import sqlite3
from collections.abc import Iterable

from opencode_mcp.batch_queue.tasks import Batch, Task

TASKS = """
    SELECT task.*, batch.starter, batch.max_cost FROM task JOIN batch ON batch.id = task.batch
    WHERE {condition} ORDER BY batch.created, batch.id, task.number
"""
"""Query for tasks, in the order in which they are started."""


def read_tasks(connection: sqlite3.Connection, condition: str, *values: object) -> list[Task]:
    """Return the tasks that fit a condition, those that are started first before the others."""
    return [_task(row) for row in connection.execute(TASKS.format(condition=condition), values)]


def read_batch(connection: sqlite3.Connection, batch_id: str, scope: str) -> Batch | None:
    """Return a batch of a scope; None if there is none with this id."""
    row = connection.execute("SELECT * FROM batch WHERE id = ? AND scope = ?", (batch_id, scope)).fetchone()
    if row is None:
        return None
    (ahead,) = connection.execute(
        "SELECT count(*) FROM task JOIN batch ON batch.id = task.batch "
        "WHERE status = 'queued' AND scope = ? AND (batch.created, batch.id) < (?, ?)",
        (scope, row["created"], batch_id),
    ).fetchone()
    return Batch(
        id=row["id"],
        created=row["created"],
        parallel=row["parallel"],
        max_cost=row["max_cost"],
        tasks=tuple(read_tasks(connection, "task.batch = ?", batch_id)),
        ahead=ahead,
    )


def queued_elsewhere(connection: sqlite3.Connection, scope: str) -> list[str]:
    """Return the ids of the batches of other scopes that have queued tasks, the oldest first."""
    rows = connection.execute(
        "SELECT DISTINCT batch.id FROM batch JOIN task ON task.batch = batch.id "
        "WHERE scope <> ? AND status = 'queued' ORDER BY batch.created, batch.id",
        (scope,),
    )
    return [row["id"] for row in rows]


def cost_of(connection: sqlite3.Connection, batch_id: str) -> float:
    """Return the cost of a batch so far in US dollars, that of running tasks included."""
    return connection.execute("SELECT total(cost) FROM task WHERE batch = ?", (batch_id,)).fetchone()[0]


def sql_list(values: Iterable[str]) -> str:
    """Return texts of our own as a list for ``IN``."""
    return ", ".join(f"'{value}'" for value in values)


def _task(row: sqlite3.Row) -> Task:
    return Task(
        batch=row["batch"],
        number=row["number"],
        status=row["status"],
        arguments=row["arguments"],
        words=row["words"],
        session_id=row["session_id"],
        message_id=row["message_id"],
        owner=row["owner"],
        attempts=row["attempts"],
        stop=bool(row["stop"]),
        note=row["note"],
        files=row["files"],
        added=row["added"],
        removed=row["removed"],
        names=row["names"],
        cost=row["cost"],
        seconds=row["seconds"],
        verified=row["verified"],
        answer=row["answer"],
        starter=row["starter"],
        batch_max_cost=row["max_cost"],
    )
