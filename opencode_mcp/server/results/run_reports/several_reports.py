"""Result of a wait for several runs: those that ended or ask in full, those that go on in one line each."""

import json
from typing import TYPE_CHECKING, Any

from mcp_types import CallToolResult

from opencode_mcp.server.results.render import result, without_tools
from opencode_mcp.server.results.run_reports.report_text import name_line, report_data, report_text
from opencode_mcp.server.results.safe_text import shown
from opencode_mcp.text.durations import duration
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from opencode_mcp.runs.outcome.run_report import RunReport

ORDER = ("needs_input", "running", "failed", "aborted", "completed")
"""Statuses by what the caller has to do first."""
SEPARATOR = "\n\n---\n\n"
LEFT_OUT = ("text", "todos")
"""Fields of a run that goes on which only its own report has."""


def reports_result(reports: "Sequence[RunReport]", *, until: str, without_run: "Sequence[str]" = ()) -> CallToolResult:
    """Return the reports of several runs as one result.

    Args:
        reports: The reports, in the order in which the sessions were named.
        until: The caller's ``until``, which the next call repeats.
        without_run: Ids of the named sessions that have no run.
    """
    step = _next_step(reports, until)
    status = min((report.status for report in reports), key=ORDER.index)
    data: dict[str, Any] = {"status": status, "runs": [_data(report) for report in reports], "next": step}
    if without_run:
        data["without_run"] = [*without_run]
    return result(_text(reports, without_run, step), data, is_shown=True)


def _text(reports: "Sequence[RunReport]", without_run: "Sequence[str]", step: str) -> str:
    """Return the full reports, then the lines of the other sessions, then the next step."""
    running = [report for report in reports if report.status == "running"]
    ended = [report_text(report) for report in reports if report.status != "running"]
    unlisted = reports[0].unlisted_tools
    lines = "\n".join([*map(_line, running), *(_line_without_run(session, unlisted) for session in without_run)])
    return SEPARATOR.join(filter(None, [*ended, lines, f"Next: {step}" if step else ""]))


def _line(report: "RunReport") -> str:
    """Return the line of a run that goes on."""
    age = duration(report.seconds) if report.seconds else ""
    facts = [report.status, f"session {report.session_id}", name_line(report), age, one_line(report.activity)]
    return shown(" · ".join(filter(None, facts)))


def _line_without_run(session_id: str, unlisted_tools: "Collection[str]") -> str:
    """Return the line of a session that has no run."""
    step = f'opencode_run(session_id="{session_id}", prompt=...) starts one.'
    return without_tools(f"no run yet · session {session_id}. {step}", unlisted_tools)


def _data(report: "RunReport") -> dict[str, Any]:
    data = report_data(report)
    if report.status != "running":
        return data
    return {name: value for name, value in data.items() if name not in LEFT_OUT}


def _next_step(reports: "Sequence[RunReport]", until: str) -> str:
    remaining = [report.session_id for report in reports if report.status in {"running", "needs_input"}]
    if not remaining:
        return "All have ended. Each report names its next step."
    more = f', until="{until}"' if until != "all" else ""
    verb = "is" if len(remaining) == 1 else "are"
    call = f"opencode_wait(session_ids={json.dumps(remaining)}{more})"
    step = f"{_answer_step(reports)}{len(remaining)} of {len(reports)} {verb} still running: {call}."
    return without_tools(step, reports[0].unlisted_tools)


def _answer_step(reports: "Sequence[RunReport]") -> str:
    """Return a sentence on the runs that ask something, with a space at its end; empty if none does."""
    asking = [report.session_id for report in reports if report.status == "needs_input"]
    return f"Answer what {' and '.join(asking)} asks, as its report says. " if asking else ""
