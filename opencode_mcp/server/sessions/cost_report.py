"""Cost of the work since a time, by day, project, model and agent.

Each step of a model counts once: in the session that made it, not in a fork that copied it, and for the day on which it
began. Subagents are sessions of their own. Archived sessions count. What OpenCode does not know is named.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, cast

from opencode_mcp.opencode.http.concurrent_reads import read_each
from opencode_mcp.runs.sessions.spending import Spending, Step, steps_of
from opencode_mcp.server.results.timestamps import local_day, local_moment, local_zone
from opencode_mcp.server.sessions.amounts import amount_data, amount_text
from opencode_mcp.server.sessions.session_list import SessionQuery, list_sessions
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.models import Session
    from opencode_mcp.server.bridge import Bridge

SECONDS = 20.0
"""Seconds in which the sessions are read."""
MOST_SESSIONS = 2000
SHOWN = 50
"""Rows of a table that are shown."""
LEAST_REST = 5e-7
"""US dollars below which a difference of two sums is a rounding error."""
REST = "titles, undone prompts"
"""Name of the model and the agent for the cost of a session beside its messages."""
NOT_RECORDED = {
    True: "Never known: deleted sessions, and titles and deleted messages of sessions that began before the period.",
    False: "Never known: deleted sessions, titles, and prompts that were undone and then followed by another one.",
}
"""Costs that OpenCode does not know, by ``Features.keeps_removed_cost``."""
PRICES = "Costs are computed from the prices that OpenCode knows; a bill may differ."
TABLES: tuple[str, ...] = ("day", "project", "model", "agent")


@dataclass(slots=True)
class CostReport:
    """Sums of a period."""

    since: float
    """Beginning of the period, in milliseconds since the epoch."""
    total: Spending = field(default_factory=Spending)
    tables: dict[str, dict[str, Spending]] = field(default_factory=lambda: {name: {} for name in TABLES})
    """Sums by the names of ``TABLES``, then by day, directory, model or agent."""
    sessions: int = 0
    """Sessions that spent something in the period."""
    uncounted: int = 0
    """Steps of which OpenCode has no cost."""
    unknown: list[str] = field(default_factory=list[str])
    """Sentences about what is not known."""

    def add(self, spent: Spending, **keys: str) -> None:
        """Count an amount under its day, project, model and agent."""
        self.total.add(spent)
        for name, key in keys.items():
            self.tables[name].setdefault(key, Spending()).add(spent)


async def report_cost(bridge: "Bridge", since: float, directory: str) -> CostReport:
    """Sum up what sessions spent (``experimental.session.list``, ``session.messages``).

    Only sessions of projects that are open or listed by name are read, since reading a session opens its project.

    Args:
        bridge: Reaches OpenCode.
        since: Beginning of the period, in milliseconds since the epoch.
        directory: The only project; empty: all that are allowed.

    Raises:
        BackendError: OpenCode could not list its sessions.
    """
    query = SessionQuery(directory=directory, since=since, roots=False, archived=True)
    page = await list_sessions(bridge, query, MOST_SESSIONS, "", room=inf)
    readable = [session for session in page.sessions if session.directory in page.readable]
    reads = {session.id: partial(steps_of, bridge.client, session, since) for session in readable}
    found, failed = await read_each(reads, within=SECONDS)
    keeps_removed = (await bridge.client.features()).keeps_removed_cost
    report = CostReport(since)
    for session in readable:
        if session.id in found:
            steps = cast("list[Step]", found[session.id])
            _add_session(report, session, steps, keeps_removed=keeps_removed)
    closed = [session for session in page.sessions if session.directory not in page.readable]
    report.unknown = [
        *_about_steps(report),
        *_about_unread(closed, "in projects that are not open", "directory=... reads one."),
        *_about_unread([item for item in readable if item.id in failed], "could not be read in time", "Try again."),
        *([f"More than {MOST_SESSIONS:,} sessions changed; only the latest are counted."] if page.cursor else []),
        NOT_RECORDED[keeps_removed],
        PRICES,
    ]
    return report


def _add_session(report: CostReport, session: "Session", steps: Sequence[Step], *, keeps_removed: bool) -> None:
    report.sessions += bool(steps)
    report.uncounted += sum(step.is_uncounted for step in steps)
    for step in steps:
        report.add(
            step.spending,
            day=local_day(step.time),
            project=session.directory,
            model=step.model or "unknown",
            agent=step.agent or "unknown",
        )
    rest = (session.cost or 0) - sum(step.spending.cost for step in steps)
    if keeps_removed and session.time.created >= report.since and rest > LEAST_REST:
        report.add(Spending(rest), day=_day_of(session), project=session.directory, model=REST, agent=REST)


def _day_of(session: "Session") -> str:
    """Return the only day on which a session changed."""
    first, last = local_day(session.time.created), local_day(session.time.updated)
    return first if first == last else "unknown day"


def _about_steps(report: CostReport) -> list[str]:
    free = [
        one_line(name)
        for name, spent in report.tables["model"].items()
        if not spent.cost and spent.input + spent.output
    ]
    notes = [f"No cost of {', '.join(free)}: OpenCode knows no price for it, or it is free."] if free else []
    if report.uncounted:
        steps = "1 step was" if report.uncounted == 1 else f"{report.uncounted} steps were"
        notes.append(f"{steps} stopped or failed; OpenCode has no cost of that.")
    return notes


def _about_unread(sessions: "Sequence[Session]", why: str, step: str) -> list[str]:
    if not sessions:
        return []
    spent = sum(session.cost or 0 for session in sessions)
    return [f"Not counted: {len(sessions)} sessions {why}; since they began they cost ${spent:.4f}. {step}"]


def cost_data(report: CostReport) -> dict[str, Any]:
    """Return the sums as structured content."""
    tables = {
        f"by_{name}": [{name: key, **amount_data(spent)} for key, spent in _rows(report, name)] for name in TABLES
    }
    head = {"since": local_moment(report.since), "time_zone": local_zone(report.since), "sessions": report.sessions}
    return {**head, **amount_data(report.total), **tables, "unknown": report.unknown}


def cost_text(report: CostReport) -> str:
    """Return the sums as text for a model."""
    noun = "session" if report.sessions == 1 else "sessions"
    head = (
        f"{amount_text(report.total)} in {report.sessions} {noun} since {local_moment(report.since)} "
        f"(days in this machine's time zone, {local_zone(report.since)})."
    )
    tables = [_table(report, name) for name in TABLES] if report.sessions or report.total.cost else []
    return "\n\n".join([head, *tables, "\n".join(report.unknown)])


def _table(report: CostReport, name: str) -> str:
    rows = _rows(report, name)
    lines = [f"- {one_line(key)}: {amount_text(spent)}" for key, spent in rows[:SHOWN]]
    more = [f"- and {len(rows) - SHOWN} more"] if len(rows) > SHOWN else []
    return "\n".join([f"By {name}:", *lines, *more])


def _rows(report: CostReport, name: str) -> list[tuple[str, Spending]]:
    """Return the rows of a table: days in their order, others by cost."""
    order: Callable[[tuple[str, Spending]], Any] = (lambda row: row[0]) if name == "day" else (lambda row: -row[1].cost)
    return sorted(report.tables[name].items(), key=order)
