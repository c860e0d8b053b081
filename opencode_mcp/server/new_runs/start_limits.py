"""Limits of starts: the runs that a principal has at once, and the cost of a day. A start beyond one is refused.

OpenCode's report of the sessions in the directories of the bridge counts, also of those that others have started: so
several bridges of one principal count alike, and a restart forgets nothing. Runs that are being started count before
OpenCode shows them; bridges in other processes learn of them by leases (``runs/starting/starting_leases.py``). A run
that has begun goes on: ``max_cost`` limits that.
"""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from math import inf
from typing import TYPE_CHECKING

from opencode_mcp.errors import LimitReached
from opencode_mcp.runs.session_history import spending
from opencode_mcp.runs.starting.starting_runs import StartingRun
from opencode_mcp.server.costs import cost_report
from opencode_mcp.server.results.timestamps import local_zone, read_local_time
from opencode_mcp.server.sessions import session_list, sessions_at_work
from opencode_mcp.text.quantities import quantity

if TYPE_CHECKING:
    from opencode_mcp.batch_queue.tasks import Task
    from opencode_mcp.server.bridge import Bridge

AT_ONCE = (
    "Wait until one has ended: opencode_list_sessions(running=true) lists them. The tasks of opencode_run_many wait by "
    "themselves."
)
NEXT_DAY = "The next day begins at 00:00 ({zone})."
A_DAY = f"opencode_cost shows what was spent. {NEXT_DAY}"


@asynccontextmanager
async def place(bridge: "Bridge") -> AsyncGenerator[StartingRun]:
    """Hold a place for a run while it is started; the caller names its session as soon as it is known.

    Raises:
        LimitReached: A limit is used up. Nothing was sent.
        BackendError: OpenCode could not be read. Nothing was sent.
    """
    starting, shared = bridge.starting, _is_shared(bridge)
    async with starting.turn(shared=shared):
        await _check_in_turn(bridge)
        run = starting.add(shared=shared)
    try:
        yield run
    finally:
        starting.remove(run)


def _is_shared(bridge: "Bridge") -> bool:
    """Return True if the runs that other bridges are starting count, too."""
    return bridge.settings.runs_at_once is not None


async def _check_in_turn(bridge: "Bridge") -> None:
    limit = bridge.settings.runs_at_once
    if limit is not None and (at_work := await _at_work(bridge)) >= limit:
        verb = "is" if at_work == 1 else "are"
        raise LimitReached(
            f"The limit is {quantity(limit, 'run')} at once, and {at_work} {verb} at work.",
            hint=AT_ONCE,
        )
    if await _is_day_spent(bridge):
        zone = local_zone(bridge.client.clock.now() * 1000)
        raise LimitReached(
            f"The runs of today have cost {bridge.settings.max_cost_a_day:g} USD or more, which is the limit of a day.",
            hint=A_DAY.format(zone=zone),
        )


async def room(bridge: "Bridge") -> int | None:
    """Return how many runs may be started now; ``None``: as many as anybody wants.

    Raises:
        BackendError: OpenCode could not be read.
    """
    if await _is_day_spent(bridge):
        return 0
    limit = bridge.settings.runs_at_once
    if limit is None:
        return None
    async with bridge.starting.turn(shared=True):
        return limit - await _at_work(bridge)


def queue_note(bridge: "Bridge", tasks: "Iterable[Task]") -> str:
    """Return why queued tasks are not started today; empty if none is queued, or the limit was not reached before."""
    limit, now = bridge.settings.max_cost_a_day, bridge.client.clock.now() * 1000
    is_spent = limit is not None and bridge.starting.spent_day == (read_local_time("today", now), limit)
    if not is_spent or all(task.status != "queued" for task in tasks):
        return ""
    wait = NEXT_DAY.format(zone=local_zone(now))
    return f"Queued tasks wait, since the runs of today have cost {limit:g} USD or more. {wait}"


async def _at_work(bridge: "Bridge") -> int:
    # In this order: a run is not counted as starting any more only when OpenCode shows it.
    starting = await bridge.starting.sessions()
    at_work = await sessions_at_work.sessions_at_work(bridge)
    return len(at_work) + sum(session_id not in at_work for session_id in starting)


async def _is_day_spent(bridge: "Bridge") -> bool:
    limit = bridge.settings.max_cost_a_day
    if limit is None:
        return False
    since = read_local_time("today", bridge.client.clock.now() * 1000)
    starting = bridge.starting
    if starting.spent_day != (since, limit) and await _reaches(bridge, since, limit):
        starting.spent_day = since, limit
    return starting.spent_day == (since, limit)


async def _reaches(bridge: "Bridge", since: float, limit: float) -> bool:
    """Return True if what was spent since a time reaches a limit. The messages are read only if it may."""
    query = session_list.SessionQuery(since=since, roots=False, archived=True)
    page = await session_list.list_sessions(bridge, query, cost_report.MOST_SESSIONS, "", room=inf)
    counted = [spending.Spending.counted(session).cost for session in page.sessions]
    # An old OpenCode 1 has no cost of sessions.
    if sum(counted) < limit and all(session.cost is not None for session in page.sessions):
        return False
    report = await cost_report.report_cost(bridge, since, "")
    return report.total.cost + report.not_counted.cost >= limit
