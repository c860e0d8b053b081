"""Cost of a period as text and as data. Each row is rounded by itself, so a table may differ from the total."""

from typing import TYPE_CHECKING, Any

from opencode_mcp.server.results.render import session_name
from opencode_mcp.server.results.timestamps import local_moment, local_zone
from opencode_mcp.server.sessions.amounts import amount_data, amount_text, known_amount_text, money
from opencode_mcp.server.sessions.cost_report import TABLES, CostReport, SessionCost
from opencode_mcp.text.outside_text import one_line
from opencode_mcp.text.quantities import quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from opencode_mcp.runs.sessions.spending import Spending

SHOWN = 50
"""Rows of a table that are shown."""
SESSIONS_SHOWN = 5
"""Sessions that are shown, those of the highest cost."""
ROUNDED = "Each amount is rounded by itself."


def cost_data(report: CostReport) -> dict[str, Any]:
    """Return the sums as structured content."""
    head = {"since": local_moment(report.since), "time_zone": local_zone(report.since), "sessions": report.sessions}
    tables = {f"by_{name}": _table_data(report, name) for name in TABLES}
    parts: dict[str, Any] = {**head, **amount_data(report.total)}
    if report.subagents:
        parts["subagents"] = {"sessions": report.subagents, **amount_data(report.spent_by_subagents)}
    sessions = [_session_data(row) for row in _dearest(report)]
    return {**parts, **tables, "by_session": sessions, "complete": report.is_known, "unknown": report.unknown}


def _table_data(report: CostReport, name: str) -> list[dict[str, Any]]:
    return [{name: key} | amount_data(spent) for key, spent in _rows(report, name)]


def _session_data(row: SessionCost) -> dict[str, Any]:
    facts: dict[str, Any] = {"title": row.title, "archived": row.is_archived, "cost_complete": row.is_known}
    kept = {name: value for name, value in facts.items() if value or name == "cost_complete"}
    return {"session_id": row.session_id, **kept, **amount_data(row.spent)}


def _dearest(report: CostReport) -> list[SessionCost]:
    """Return the sessions of the highest cost, the highest first."""
    return sorted(report.by_session.values(), key=lambda row: -row.spent.cost)[:SESSIONS_SHOWN]


def cost_text(report: CostReport) -> str:
    """Return the sums as text for a model."""
    archived = f" ({report.archived} archived, which lists leave out)" if report.archived else ""
    amount = known_amount_text(report.total, is_known=report.is_known)
    head = (
        f"{amount} in {quantity(report.sessions, 'session')}{archived}{_by_subagents(report)} since "
        f"{local_moment(report.since)} (days in this machine's time zone, {local_zone(report.since)})."
    )
    tables = [_table(report, name) for name in TABLES] if report.sessions or report.subagents else []
    sessions = [_sessions(report)] if report.by_session else []
    rounded = [ROUNDED] if tables else []
    return "\n\n".join([head, *tables, *sessions, "\n".join([*rounded, *report.unknown])])


def _by_subagents(report: CostReport) -> str:
    if not report.subagents:
        return ""
    subagents = quantity(report.subagents, "subagent")
    noun = subagents.partition(" ")[2]
    return f" and {subagents} ({noun}: {money(report.spent_by_subagents.cost)})"


def _table(report: CostReport, name: str) -> str:
    rows = _rows(report, name)
    lines = [f"- {one_line(key)}: {amount_text(spent)}" for key, spent in rows[:SHOWN]]
    more = [f"- and {len(rows) - SHOWN} more"] if len(rows) > SHOWN else []
    empty = len(report.tables[name]) - len(rows)
    rest = [f"- and {quantity(empty, name)} without cost or tokens"] if empty else []
    return "\n".join([f"By {name}:", *lines, *more, *rest])


def _sessions(report: CostReport) -> str:
    """Return the table of the sessions of the highest cost."""
    rows = _dearest(report)
    number = len(report.by_session)
    part = f" (the {len(rows)} of the highest cost, of {number:,})" if number > len(rows) else ""
    subagents = ", with its subagents" if report.subagents else ""
    return "\n".join([f"By session{subagents}{part}:", *map(_session_line, rows)])


def _session_line(row: SessionCost) -> str:
    archived = " (archived)" if row.is_archived else ""
    amount = known_amount_text(row.spent, is_known=row.is_known)
    return f"- {session_name(row.session_id, row.title)}{archived}: {amount}"


def _rows(report: CostReport, name: str) -> "list[tuple[str, Spending]]":
    """Return the rows of a table that are not zero: days in their order, others by cost."""
    order: Callable[[tuple[str, Spending]], Any] = (lambda row: row[0]) if name == "day" else (lambda row: -row[1].cost)
    rows = [row for row in report.tables[name].items() if not row[1].is_nothing]
    return sorted(rows, key=order)
