"""Cost of a period as text and as data; the rows of each table add up to the total."""

from typing import TYPE_CHECKING, Any

from opencode_mcp.server.results.timestamps import local_moment, local_zone
from opencode_mcp.server.sessions.amounts import (
    DATA_DIGITS,
    SHOWN_DIGITS,
    amount_data,
    amount_text,
    money,
    rounded_to_sum,
)
from opencode_mcp.server.sessions.cost_report import TABLES, CostReport
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from opencode_mcp.runs.sessions.spending import Spending

SHOWN = 50
"""Rows of a table that are shown."""


def cost_data(report: CostReport) -> dict[str, Any]:
    """Return the sums as structured content."""
    head = {"since": local_moment(report.since), "time_zone": local_zone(report.since), "sessions": report.sessions}
    tables = {f"by_{name}": _table_data(report, name) for name in TABLES}
    parts: dict[str, Any] = {**head, **amount_data(report.total)}
    if report.subagents:
        parts["subagents"] = {"sessions": report.subagents, **amount_data(report.spent_by_subagents)}
    return {**parts, **tables, "unknown": report.unknown}


def _table_data(report: CostReport, name: str) -> list[dict[str, Any]]:
    rows = _rows(report, name, DATA_DIGITS)
    return [{name: key} | amount_data(spent, cost) for key, spent, cost in rows]


def cost_text(report: CostReport) -> str:
    """Return the sums as text for a model."""
    noun = "session" if report.sessions == 1 else "sessions"
    archived = f" ({report.archived} archived, which lists leave out)" if report.archived else ""
    head = (
        f"{amount_text(report.total)} in {report.sessions} {noun}{archived}{_by_subagents(report)} since "
        f"{local_moment(report.since)} (days in this machine's time zone, {local_zone(report.since)})."
    )
    tables = [_table(report, name) for name in TABLES] if report.sessions or report.subagents else []
    return "\n\n".join([head, *tables, "\n".join(report.unknown)])


def _by_subagents(report: CostReport) -> str:
    if not report.subagents:
        return ""
    noun = "subagent" if report.subagents == 1 else "subagents"
    return f" and {report.subagents} {noun} ({noun}: {money(report.spent_by_subagents.cost)})"


def _table(report: CostReport, name: str) -> str:
    rows = _rows(report, name, SHOWN_DIGITS)
    lines = [f"- {one_line(key)}: {amount_text(spent, cost)}" for key, spent, cost in rows[:SHOWN]]
    more = [f"- and {len(rows) - SHOWN} more"] if len(rows) > SHOWN else []
    return "\n".join([f"By {name}:", *lines, *more])


def _rows(report: CostReport, name: str, digits: int) -> "list[tuple[str, Spending, float]]":
    """Return the rows of a table with their rounded costs: days in their order, others by cost."""
    order: Callable[[tuple[str, Spending]], Any] = (lambda row: row[0]) if name == "day" else (lambda row: -row[1].cost)
    rows = sorted(report.tables[name].items(), key=order)
    costs = rounded_to_sum([spent.cost for _, spent in rows], report.total.cost, digits)
    return [(key, spent, cost) for (key, spent), cost in zip(rows, costs, strict=True)]
