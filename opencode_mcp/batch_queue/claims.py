"""Claims of the queue: which tasks are next, and which have lost their bridge. Called inside of a transaction."""

import sqlite3
import time
from pathlib import Path

from opencode_mcp.batch_queue.rows import cost_of, read_tasks, sql_list
from opencode_mcp.batch_queue.tasks import AT_WORK, CLAIMED, Task
from opencode_mcp.disk.file_locks import lease_lives


def claim(connection: sqlite3.Connection, scope: str, owner: str, room: int) -> list[Task]:
    """Claim the tasks that are next, and return them.

    Args:
        connection: In a transaction.
        scope: Only its batches count.
        owner: Lease of the bridge that claims.
        room: Most tasks to claim.
    """
    claimed: list[tuple[str, int]] = []
    batches = connection.execute("SELECT * FROM batch WHERE scope = ? ORDER BY created, id", (scope,)).fetchall()
    for batch in batches:
        if _abort_if_spent(connection, batch):
            continue
        free = min(room - len(claimed), batch["parallel"] - _at_work_of(connection, batch["id"]))
        claimed += [(batch["id"], number) for number in _next(connection, batch["id"], free)]
    connection.executemany(
        "UPDATE task SET status = 'starting', owner = ?, attempts = attempts + 1 WHERE batch = ? AND number = ?",
        [(owner, *name) for name in claimed],
    )
    return [task for name in claimed for task in read_tasks(connection, "task.batch = ? AND number = ?", *name)]


def adopt(connection: sqlite3.Connection, scope: str, owner: str, leases: Path) -> list[Task]:
    """Take over the tasks whose bridge has died, and return them.

    Args:
        connection: In a transaction.
        scope: Only its batches count.
        owner: Lease of the bridge that adopts.
        leases: Folder of the leases.
    """
    claimed = read_tasks(connection, f"scope = ? AND status IN ({sql_list(CLAIMED)})", scope)
    others = {task.owner for task in claimed} - {owner}
    dead = {name for name in others if not lease_lives(leases / name)}
    orphans = [task for task in claimed if task.owner in dead]
    connection.executemany(
        "UPDATE task SET owner = ? WHERE batch = ? AND number = ?",
        [(owner, task.batch, task.number) for task in orphans],
    )
    return orphans


def at_work(connection: sqlite3.Connection, leases: Path) -> int:
    """Count the tasks of all bridges that are at work; those of dead bridges that nobody adopts do not count."""
    rows = connection.execute(
        f"SELECT owner, count(*) AS tasks FROM task WHERE status IN ({sql_list(AT_WORK)}) GROUP BY owner"  # noqa: S608 - our texts
    ).fetchall()
    return sum(row["tasks"] for row in rows if lease_lives(leases / row["owner"]))


def _at_work_of(connection: sqlite3.Connection, batch_id: str) -> int:
    query = f"SELECT count(*) FROM task WHERE batch = ? AND status IN ({sql_list(AT_WORK)})"  # noqa: S608 - our texts
    return connection.execute(query, (batch_id,)).fetchone()[0]


def _next(connection: sqlite3.Connection, batch_id: str, count: int) -> list[int]:
    """Return the numbers of the queued tasks of a batch that are next."""
    rows = connection.execute(
        "SELECT number FROM task WHERE batch = ? AND status = 'queued' AND not_before <= ? ORDER BY number LIMIT ?",
        (batch_id, time.time(), max(count, 0)),
    )
    return [row["number"] for row in rows]


def _abort_if_spent(connection: sqlite3.Connection, batch: sqlite3.Row) -> bool:
    """End the queued tasks of a batch that has reached its limit; return True if it has."""
    limit = batch["max_cost"]
    if limit is None:
        return False
    cost = cost_of(connection, batch["id"])
    if cost < limit:
        return False
    note = f"Not started: the batch has cost {cost:.6g} USD, and its limit is {limit:g} USD."
    connection.execute(
        "UPDATE task SET status = 'aborted', note = ?, ended = ?, arguments = '' WHERE batch = ? AND status = 'queued'",
        (note, time.time(), batch["id"]),
    )
    return True
