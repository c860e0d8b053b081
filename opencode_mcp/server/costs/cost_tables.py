"""Cost of a period as text and as data. Each row is rounded by itself, so a table may differ from the total."""

from typing import TYPE_CHECKING, Any, TypeVar

from opencode_mcp.opencode.vocabulary.default_titles import without_repetition
from opencode_mcp.server.costs.cost_report import OUTSIDE_OF_RUNS, TABLES, CostReport, RunCost, SessionCost
from opencode_mcp.server.results.amounts import DATA_DIGITS, amount_data, amount_text, known_amount_text
from opencode_mcp.server.results.session_name import session_name
from opencode_mcp.server.results.timestamps import local_time, local_zone
from opencode_mcp.text.name_lists import listed
from opencode_mcp.text.outside_text import one_line
from opencode_mcp.text.quantities import money, quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opencode_mcp.runs.session_history.spending import Spending

AnyCost = TypeVar("AnyCost", SessionCost, RunCost)
SHOWN_ROWS = 50
"""Rows of a table that are shown."""
TOP = 10
"""Sessions and runs that are shown if the caller does not say how many, those of the highest cost."""
EMPTY_NAMED = 10
"""Names without cost or tokens that are shown."""
ROUNDED = "Each amount is rounded by itself."


def cost_data(report: CostReport, top: int = TOP) -> dict[str, Any]:
    """Return the sums as structured content, with so many sessions and runs."""
    head = {"since": local_time(report.since), "time_zone": local_zone(report.since), "sessions": report.sessions}
    tables = {f"by_{name}": _table_data(report, name) for name in TABLES}
    parts: dict[str, Any] = {**head, **amount_data(report.total)}
    if report.without_cost:
        parts["sessions_without_cost"] = report.without_cost
    if report.subagents:
        parts["subagents"] = {"sessions": report.subagents, **amount_data(report.spent_by_subagents)}
    parts |= tables
    parts["by_session"] = [_session_data(row) for row in _most_expensive(report.by_session, top)]
    parts["by_run"] = [_run_data(row) for row in _most_expensive(report.by_run, top)]
    return {**parts, "complete": report.is_known, "unknown": report.unknown}


def _table_data(report: CostReport, name: str) -> list[dict[str, Any]]:
    return [{name: key} | amount_data(spent) for key, spent in _rows(report, name)]


def _session_data(row: SessionCost) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "title": row.title,
        "archived": row.is_archived,
        "running": row.is_running,
        "cost_complete": row.is_known,
        "titles_and_undone_cost": round(row.beside.cost, DATA_DIGITS),
    }
    kept = {name: value for name, value in facts.items() if value or name == "cost_complete"}
    return {"session_id": row.session_id, **kept, **amount_data(row.spent)}


def _run_data(row: RunCost) -> dict[str, Any]:
    names = {"session_id": row.session_id, "message_id": row.message_id}
    prompt = {"prompt": row.prompt} if row.prompt else {}
    return {**names, **prompt, "cost_complete": row.is_known, **amount_data(row.spent)}


def _most_expensive(rows: "Mapping[str, AnyCost]", top: int) -> "list[AnyCost]":
    """Return the sessions or runs of the highest cost, the highest first."""
    return sorted(rows.values(), key=lambda row: -row.spent.cost)[:top]


def cost_text(report: CostReport, top: int = TOP) -> str:
    """Return the sums as text for a model, with so many sessions and runs."""
    archived = f" ({report.archived} archived, which lists leave out)" if report.archived else ""
    amount = known_amount_text(report.total, is_known=report.is_known)
    head = (
        f"{amount} in {quantity(report.sessions, 'session')}{archived}{_by_subagents(report)} since "
        f"{local_time(report.since)} (days in this machine's time zone, {local_zone(report.since)})."
        f"{_without_cost(report)}"
    )
    tables = [_table(report, name) for name in TABLES] if report.sessions or report.subagents else []
    sessions = [_sessions(report, top)] if report.by_session else []
    # If each session has one run, the rows of the sessions name them.
    runs = [_runs(report, top)] if _has_several_runs(report) else []
    rounded = [ROUNDED] if tables else []
    return "\n\n".join([head, *tables, *sessions, *runs, "\n".join([*rounded, *report.unknown])])


def _without_cost(report: CostReport) -> str:
    if not report.without_cost:
        return ""
    return f" {quantity(report.without_cost, 'more session')} changed, without cost or tokens."


def _by_subagents(report: CostReport) -> str:
    if not report.subagents:
        return ""
    subagents = quantity(report.subagents, "subagent")
    noun = subagents.partition(" ")[2]
    return f" and {subagents} ({noun}: {money(report.spent_by_subagents.cost)})"


def _table(report: CostReport, name: str) -> str:
    rows = _rows(report, name)
    lines = [f"- {one_line(key)}: {amount_text(spent)}" for key, spent in rows[:SHOWN_ROWS]]
    more = [f"- and {len(rows) - SHOWN_ROWS} more"] if len(rows) > SHOWN_ROWS else []
    shown = {key for key, _ in rows}
    empty = [one_line(key) for key in report.tables[name] if key not in shown]
    rest = [f"- without cost or tokens: {listed(empty, EMPTY_NAMED)}"] if empty else []
    return "\n".join([f"By {name}:", *lines, *more, *rest])


def _sessions(report: CostReport, top: int) -> str:
    """Return the table of the sessions of the highest cost."""
    rows = _most_expensive(report.by_session, top)
    subagents = ", with its subagents" if report.subagents else ""
    part = _part(len(rows), len(report.by_session))
    runs = {} if _has_several_runs(report) else {run.session_id: run for run in report.by_run.values()}
    lines = [f"{_session_line(row)}{_run_of(runs.get(row.session_id))}" for row in rows]
    return "\n".join([f"By session{subagents}{part}:", *lines])


def _part(shown: int, number: int) -> str:
    """Return a remark on a table that shows only some of the rows, those of the highest cost."""
    if number <= shown:
        return ""
    first = "the most expensive" if shown == 1 else f"the {shown} most expensive"
    return f" ({first} of {number:,}; top=... lists more)"


def _session_line(row: SessionCost) -> str:
    marks = [*(["archived"] if row.is_archived else []), *(["running"] if row.is_running else [])]
    marked = f" ({', '.join(marks)})" if marks else ""
    amount = known_amount_text(row.spent, is_known=row.is_known)
    beside = f" ({money(row.beside.cost)} of it {OUTSIDE_OF_RUNS})" if row.beside.cost else ""
    return f"- {session_name(row.session_id, row.title)}{marked}: {amount}{beside}"


def _has_several_runs(report: CostReport) -> bool:
    """Return True if a session has more than one run."""
    return len(report.by_run) > len({run.session_id for run in report.by_run.values()})


def _run_of(run: RunCost | None) -> str:
    """Return the prompt of the only run of a session, for the session's row."""
    if run is None or not run.message_id:
        return ""
    prompt = without_repetition(run.title, run.prompt)[1]
    return f" · {run.message_id}" + (f' "{one_line(prompt)}"' if prompt else "")


def _runs(report: CostReport, top: int) -> str:
    """Return the table of the runs of the highest cost."""
    rows = _most_expensive(report.by_run, top)
    subagents = ", without its subagents" if report.subagents else ""
    return "\n".join([f"By run{subagents}{_part(len(rows), len(report.by_run))}:", *map(_run_line, rows)])


def _run_line(row: RunCost) -> str:
    amount = known_amount_text(row.spent, is_known=row.is_known)
    title, prompt = without_repetition(row.title, row.prompt)
    words = f' "{one_line(prompt)}"' if prompt else ""
    return f"- {row.message_id or 'unknown prompt'}{words} of {session_name(row.session_id, title)}: {amount}"


def _rows(report: CostReport, name: str) -> "list[tuple[str, Spending]]":
    """Return the rows of a table that are not zero: days in their order, others by cost."""
    order: Callable[[tuple[str, Spending]], Any] = (lambda row: row[0]) if name == "day" else (lambda row: -row[1].cost)
    rows = [row for row in report.tables[name].items() if not row[1].is_nothing]
    return sorted(rows, key=order)
