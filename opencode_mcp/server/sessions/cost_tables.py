"""Cost of a period as text and as data. Each row is rounded by itself, so a table may differ from the total."""

from typing import TYPE_CHECKING, Any

from opencode_mcp.server.results.timestamps import local_moment, local_zone
from opencode_mcp.server.sessions.amounts import amount_data, amount_text, money
from opencode_mcp.server.sessions.cost_report import TABLES, CostReport
from opencode_mcp.text.outside_text import one_line
from opencode_mcp.text.quantities import quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from opencode_mcp.runs.sessions.spending import Spending

SHOWN = 50
"""Rows of a table that are shown."""
ROUNDED = "Each amount is rounded by itself."


def cost_data(report: CostReport) -> dict[str, Any]:
    """Return the sums as structured content."""
    head = {"since": local_moment(report.since), "time_zone": local_zone(report.since), "sessions": report.sessions}
    tables = {f"by_{name}": _table_data(report, name) for name in TABLES}
    parts: dict[str, Any] = {**head, **amount_data(report.total)}
    if report.subagents:
        parts["subagents"] = {"sessions": report.subagents, **amount_data(report.spent_by_subagents)}
    return {**parts, **tables, "unknown": report.unknown}


def _table_data(report: CostReport, name: str) -> list[dict[str, Any]]:
    return [{name: key} | amount_data(spent) for key, spent in _rows(report, name)]


def cost_text(report: CostReport) -> str:
    """Return the sums as text for a model."""
    archived = f" ({report.archived} archived, which lists leave out)" if report.archived else ""
    head = (
        f"{amount_text(report.total)} in {quantity(report.sessions, 'session')}{archived}{_by_subagents(report)} since "
        f"{local_moment(report.since)} (days in this machine's time zone, {local_zone(report.since)})."
    )
    tables = [_table(report, name) for name in TABLES] if report.sessions or report.subagents else []
    rounded = [ROUNDED] if tables else []
    return "\n\n".join([head, *tables, "\n".join([*rounded, *report.unknown])])


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
    rest = [f"- and {empty} without cost or tokens"] if empty else []
    return "\n".join([f"By {name}:", *lines, *more, *rest])


def _rows(report: CostReport, name: str) -> "list[tuple[str, Spending]]":
    """Return the rows of a table that are not zero: days in their order, others by cost."""
    order: Callable[[tuple[str, Spending]], Any] = (lambda row: row[0]) if name == "day" else (lambda row: -row[1].cost)
    rows = [row for row in report.tables[name].items() if not row[1].is_nothing]
    return sorted(rows, key=order)
