"""Cost of the work since a time, by day, project, model, agent and session.

Each step of a model counts once: in the session that made it, not in a fork that copied it, and for the day on which it
began. Subagents are sessions of their own. Archived sessions count. What OpenCode does not know is named.
``runs/session_history/spending.py`` defines what a session spent.
"""

from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import TYPE_CHECKING, cast

from opencode_mcp.errors import NotFound
from opencode_mcp.opencode.http_client.read_group import read_each
from opencode_mcp.runs.session_history.spending import Account, Spending, read_account
from opencode_mcp.server.results.timestamps import local_day
from opencode_mcp.server.sessions import session_list
from opencode_mcp.server.sessions.titles import title_of
from opencode_mcp.text.outside_text import one_line
from opencode_mcp.text.quantities import money, quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.server.bridge import Bridge

READ_SECONDS = 20.0
"""Seconds in which the sessions are read."""
MOST_SESSIONS = 2000
OUTSIDE_OF_RUNS = "outside of runs"
"""Name of the model and the agent for what OpenCode counted and no message shows."""
ABOUT_OUTSIDE = (
    "Outside of runs are titles and undone prompts: OpenCode counts them for the session, and records neither their "
    "model nor their agent."
)
NOT_RECORDED = {
    True: (
        "Not counted, since OpenCode does not keep it: deleted sessions; and, of sessions that began before this "
        "period, requests for titles and undone prompts."
    ),
    False: (
        "Not counted, since OpenCode does not keep it: deleted sessions, requests for titles, and undone prompts that "
        "another prompt followed."
    ),
}
"""Costs that OpenCode does not know, by ``Features.keeps_removed_cost``."""
PRICES = "Costs are computed from the prices that OpenCode knows; a bill may differ."
TABLES: tuple[str, ...] = ("day", "project", "model", "agent")


@dataclass(slots=True)
class SessionCost:
    """Sum of a session with its subagents in a period."""

    session_id: str
    title: str
    is_archived: bool
    spent: Spending = field(default_factory=Spending)
    is_known: bool = True
    """False if OpenCode has no cost of one of the steps, or some are still to come."""
    is_running: bool = False
    """True if it, or a subagent of it, is at work."""
    beside: Spending = field(default_factory=Spending)
    """Part of the sum for titles and undone prompts, which no run has."""


@dataclass(slots=True)
class RunCost:
    """Sum of the steps with which a session answered one prompt in a period, without its subagents."""

    session_id: str
    message_id: str
    title: str
    """Title of the session."""
    spent: Spending = field(default_factory=Spending)
    is_known: bool = True
    """False if OpenCode has no cost of one of the steps."""
    prompt: str = ""
    """Beginning of the prompt; empty if it is not known."""


@dataclass(slots=True)
class CostReport:
    """Sums of a period."""

    since: float
    """Beginning of the period, in milliseconds since the epoch."""
    total: Spending = field(default_factory=Spending)
    tables: dict[str, dict[str, Spending]] = field(default_factory=lambda: {name: {} for name in TABLES})
    """Sums by the names of ``TABLES``, then by day, directory, model or agent."""
    by_session: dict[str, SessionCost] = field(default_factory=dict[str, SessionCost])
    """Sums of the sessions by id, each with its subagents; a subagent whose session is not counted stands alone."""
    by_run: dict[str, RunCost] = field(default_factory=dict[str, RunCost])
    """Sums of the runs by the ids of their prompts."""
    sessions: int = 0
    """Sessions that spent something in the period, without subagents."""
    archived: int = 0
    """Part of these that are archived, which lists leave out."""
    without_cost: int = 0
    """Sessions that changed in the period and spent nothing in it, without subagents. Lists count them."""
    subagents: int = 0
    """Subagents that spent something in the period."""
    spent_by_subagents: Spending = field(default_factory=Spending)
    """Part of the total that they spent."""
    broken_off: int = 0
    """Steps that were stopped or failed, so that OpenCode has no cost of them."""
    without_usage: int = 0
    """Steps that ended well and have no tokens."""
    not_counted: Spending = field(default_factory=Spending)
    """Sum that OpenCode counts for the sessions that were not read, since they began."""
    unknown: list[str] = field(default_factory=list[str])
    """Sentences about what is not known."""

    @property
    def is_known(self) -> bool:
        """Return True if OpenCode has a cost of every step, and no session is at work."""
        is_idle = not any(row.is_running for row in self.by_session.values())
        return is_idle and not self.broken_off and not self.without_usage

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
    query = session_list.SessionQuery(directory=directory, since=since, roots=False, archived=True)
    page = await session_list.list_sessions(bridge, query, MOST_SESSIONS, "", room=inf)
    read = await _read_accounts(bridge, page, since)
    keeps_removed = (await bridge.client.features()).keeps_removed_cost
    report = CostReport(since)
    for session in read.sessions.values():
        account = read.accounts[session.id]
        _add_session(report, session, account, bridge.fence.project_of(session.directory))
        _add_to_row(report, origin_of(session, read.sessions), account, is_running=session.id in page.status)
        _add_runs(report, session, account)
        _add_prompts(report, account, partial(bridge.runs.notes.first_words_of, session))
    report.not_counted = Spending.total(map(Spending.counted, [*read.closed, *read.late]))
    report.unknown = [
        *_about_steps(report),
        *_about_unread(read.closed, "in projects that are not open", "directory=... reads one."),
        *_about_unread(read.late, "could not be read in time", "Try again."),
        *([f"More than {MOST_SESSIONS:,} sessions changed; only the latest are counted."] if page.cursor else []),
        NOT_RECORDED[keeps_removed],
        PRICES,
    ]
    return report


@dataclass(slots=True)
class _Accounts:
    """Accounts of the sessions of a period, and the sessions without one. Deleted sessions are left out."""

    sessions: "dict[str, Session]" = field(default_factory=dict[str, "Session"])
    """Sessions whose account was read, by their ids."""
    accounts: dict[str, Account] = field(default_factory=dict[str, Account])
    """Accounts by the ids of their sessions."""
    late: "list[Session]" = field(default_factory=list["Session"])
    """Sessions that could not be read in time."""
    closed: "list[Session]" = field(default_factory=list["Session"])
    """Sessions in projects that are not open."""


async def _read_accounts(bridge: "Bridge", page: session_list.SessionPage, since: float) -> _Accounts:
    reads = {
        session.id: partial(read_account, bridge.client, session, since)
        for session in page.sessions
        if session.directory in page.readable
    }
    found, failed = await read_each(reads, within=READ_SECONDS)
    read = _Accounts(accounts=cast("dict[str, Account]", found))
    for session in page.sessions:
        if session.id not in reads:
            read.closed.append(session)
        elif session.id in found:
            read.sessions[session.id] = session
        elif not isinstance(failed[session.id], NotFound):
            read.late.append(session)
    return read


def _add_session(report: CostReport, session: "Session", account: Account, project: str) -> None:
    _count_session(report, session, account)
    for step in account.steps:
        report.broken_off += step.is_broken_off
        report.without_usage += step.has_no_usage
        report.add(
            step.spending,
            day=local_day(step.time),
            project=project,
            model=step.model or "unknown",
            agent=step.agent or "unknown",
        )
    if not account.beside.is_nothing:
        report.add(account.beside, day=_day_of(session), project=project, model=OUTSIDE_OF_RUNS, agent=OUTSIDE_OF_RUNS)


def origin_of(session: "Session", counted: "Mapping[str, Session]") -> "Session":
    """Return the session that started a subagent, directly or not, as far as it is counted; else the session itself."""
    passed = {session.id}
    while (parent := counted.get(session.parent_id or "")) and parent.id not in passed:
        passed.add(parent.id)
        session = parent
    return session


def _add_to_row(report: CostReport, origin: "Session", account: Account, *, is_running: bool) -> None:
    if not account.steps and account.beside.is_nothing:
        return
    new = SessionCost(origin.id, title_of(origin), origin.time.archived is not None)
    row = report.by_session.setdefault(origin.id, new)
    row.spent.add(account.total)
    row.beside.add(account.beside)
    row.is_running |= is_running
    row.is_known &= not is_running and all(step.is_counted for step in account.steps)


def _add_runs(report: CostReport, session: "Session", account: Account) -> None:
    for step in account.steps:
        row = report.by_run.setdefault(step.prompt_id, RunCost(session.id, step.prompt_id, title_of(session)))
        row.spent.add(step.spending)
        row.is_known &= step.is_counted


def _add_prompts(report: CostReport, account: Account, first_words_of: "Callable[[str], str]") -> None:
    """Add to the runs of a session how their prompts begin; what the bridge has noted wins over what OpenCode shows."""
    for prompt_id in {step.prompt_id for step in account.steps}:
        report.by_run[prompt_id].prompt = first_words_of(prompt_id) or account.prompts.get(prompt_id, "")


def _count_session(report: CostReport, session: "Session", account: Account) -> None:
    if not account.steps and account.beside.is_nothing:
        report.without_cost += not session.parent_id
    elif session.parent_id:
        report.subagents += 1
        report.spent_by_subagents.add(account.total)
    else:
        report.sessions += 1
        report.archived += session.time.archived is not None


def _day_of(session: "Session") -> str:
    """Return the only day on which a session changed."""
    first, last = local_day(session.time.created), local_day(session.time.updated)
    return first if first == last else "unknown day"


def _about_steps(report: CostReport) -> list[str]:
    notes: list[str] = []
    free = [one_line(name) for name, spent in report.tables["model"].items() if _is_free(spent)]
    if free:
        notes.append(f"No cost of {', '.join(free)}: OpenCode knows no price for it, or it is free.")
    if report.broken_off:
        steps = _steps(report.broken_off, "was", "were")
        notes.append(f"{steps} stopped or failed; OpenCode has no cost of that.")
    if report.without_usage:
        steps = _steps(report.without_usage, "has", "have")
        notes.append(f"{steps} no tokens on record: the provider reports none, or OpenCode has not counted them yet.")
    if OUTSIDE_OF_RUNS in report.tables["model"]:
        notes.append(ABOUT_OUTSIDE)
    return notes


def _steps(number: int, verb: str, plural_verb: str) -> str:
    """Return a number of steps with its verb."""
    return f"1 step {verb}" if number == 1 else f"{number} steps {plural_verb}"


def _is_free(spent: Spending) -> bool:
    """Return True for tokens without a cost."""
    return not spent.cost and spent.input + spent.output > 0


def _about_unread(sessions: "Sequence[Session]", why: str, step: str) -> list[str]:
    if not sessions:
        return []
    spent = Spending.total(map(Spending.counted, sessions))
    return [
        f"Not counted: {quantity(len(sessions), 'session')} {why}, with {money(spent.cost)} since they began. {step}"
    ]
