"""Report of a run as text for a model and as structured content.

Each line has one fact, nothing is empty, and the next step of the caller comes last.
"""

import json
from typing import TYPE_CHECKING, Any

from opencode_mcp.markdown import excerpt
from opencode_mcp.opencode.vocabulary.default_titles import without_repetition
from opencode_mcp.server.results.render import ERROR_BYTES, cut
from opencode_mcp.server.results.run_reports.changed_files_text import changed_files_section
from opencode_mcp.server.results.run_reports.request_text import request_data, request_text
from opencode_mcp.server.results.run_reports.run_answer import answer_data, answer_section
from opencode_mcp.server.results.run_reports.run_steps import next_step
from opencode_mcp.server.results.safe_text import shown_data, shown_sections
from opencode_mcp.server.results.size_limit import cut_text
from opencode_mcp.text.durations import duration, time_spent
from opencode_mcp.text.outside_text import clean, indented, one_line
from opencode_mcp.text.quantities import money, quantity

if TYPE_CHECKING:
    from opencode_mcp.runs.outcome.run_report import (
        Decision,
        RunReport,
        VerificationReport,
    )

SUBAGENTS_UNKNOWN = "OpenCode could not list its subagents"


def report_data(report: "RunReport") -> dict[str, Any]:
    """Return a run's report as structured content. Empty fields are left out, except those that callers rely on."""
    data = report.model_dump(mode="json", exclude_defaults=True)
    if report.failed_command:
        data["note"] = f"{report.note} {_failed_command(report)}".strip()
    return data | {
        "text": answer_data(report),
        **({"error": cut_text(report.error, ERROR_BYTES)} if report.error else {}),
        **({"subagents_cost": report.subagents_cost} if report.subagents_cost else {}),
        **({} if report.are_children_known else {"children_complete": False}),
        "pending": [request_data(request) for request in report.pending],
        "next": next_step(report),
    }


def _failed_command(report: "RunReport") -> str:
    return f"Its last command failed: {report.failed_command}." if report.failed_command else ""


def report_text(report: "RunReport") -> str:
    """Return a run's report as text for a model, cleaned for display."""
    sections = [
        report.note,
        "\n".join(filter(None, [_headline(report), name_line(report)])),
        _merged(report),
        report.shortfall,
        f"Error: {indented(cut_text(report.error, ERROR_BYTES))}" if report.error else "",
        f"Doing: {one_line(report.activity)}" if report.activity else "",
        answer_section(report),
        f"Structured answer:\n{_json(report.output)}" if report.output is not None else "",
        verification_text(report),
        _failed_command(report),
        changed_files_section(report),
        "Todos:\n" + "\n".join(report.todos) if report.todos else "",
        *map(request_text, report.pending),
        _decided(report),
        f"Next: {step}" if (step := next_step(report)) else "",
    ]
    return shown_sections(sections)


def _headline(report: "RunReport") -> str:
    tokens = report.tokens
    facts = [
        report.status,
        f"session {report.session_id}",
        f"message {report.message_id}",
        _time(report),
        one_line(report.model),
        f"agent {one_line(report.agent)}" if report.agent else "",
        f"{tokens.input:.0f} tokens in, {tokens.output:.0f} out" if tokens.output else "",
        _cost(report),
        _subagents(report),
    ]
    return " · ".join(fact for fact in facts if fact)


def _subagents(report: "RunReport") -> str:
    """Return the subagents of a run, and whether there may be others; empty if there are none."""
    if not report.children:
        return "" if report.are_children_known else SUBAGENTS_UNKNOWN
    others = "" if report.are_children_known else " and perhaps others (OpenCode could not list them)"
    return f"subagents {', '.join(report.children)}{others}"


def _cost(report: "RunReport") -> str:
    """Return the cost of a run with its subagents, and their part; empty if there is none."""
    if not report.cost:
        return "" if report.is_cost_known else "cost not known"
    amount = money(report.cost) if report.is_cost_known else f"at least {money(report.cost)}"
    if not report.subagents_cost:
        return amount
    by = quantity(report.subagents_counted, "subagent")
    return f"{amount} ({money(report.subagents_cost)} of it by {by})"


def name_line(report: "RunReport") -> str:
    """Return the line by which a run is recognised: the session's title, and the first words of the prompt."""
    title, words = without_repetition(one_line(report.title), one_line(report.prompt))
    names = [f'"{title}"' if title else "", f'prompt: "{words}"' if words else ""]
    return " · ".join(filter(None, names))


def _time(report: "RunReport") -> str:
    """Return the age or the duration of a run with its start, and the time that was spent waiting for an answer."""
    since = f" from {report.started}" if report.started else ""
    return f"{time_spent(report.seconds, report.waited)}{since}" if report.seconds else ""


def verification_text(report: "RunReport") -> str:
    """Return the result of the verification of a run; empty if there is none."""
    found = report.verification
    if found is None:
        return ""
    left = ", ".join(map(one_line, found.left))
    output = cut(clean(found.output)) if report.verified != "passed" else ""
    lines = [
        _verification_line(report.verified or "no result", found),
        indented(found.note),
        f"Left by the verification: {left}" if left else "",
        f"The end of its output:\n{excerpt.fence(output)}" if output else "",
    ]
    return "\n".join(filter(None, lines))


def _verification_line(outcome: str, found: "VerificationReport") -> str:
    facts = [
        f"Verification: {outcome}",
        one_line(found.command),
        f"exit code {found.exit_code}" if found.exit_code is not None else "",
        duration(found.seconds) if found.seconds else "",
        f"repairs {found.repairs}" if found.repairs else "",
    ]
    return " · ".join(filter(None, facts))


def _merged(report: "RunReport") -> str:
    if not report.merged_with:
        return ""
    return (
        f"OpenCode answered this prompt together with {', '.join(report.merged_with)}, which somebody else sent to the "
        "session at the same time: the text may be the answer to that one."
    )


def _decided(report: "RunReport") -> str:
    """Return what the operator's policy answered, so that the reader knows why nobody was asked, and other refusals."""
    words = {"once": "allowed", "reject": "refused"}
    by_policy = [item for item in report.decided if not item.by]
    lines = [one_line(f"{words[item.reply]} {item.permission}: {', '.join(item.patterns)}") for item in by_policy]
    title = ["By the permission policy of this MCP server:"] if lines else []
    return "\n".join([*title, *lines, *(_refused(item) for item in report.decided if item.by)])


def _refused(item: "Decision") -> str:
    by = "by the person" if item.by == "person" else "with opencode_reply_permission"
    reason = f" (reason given: {item.message})" if item.message else ""
    return one_line(f"Refused {by}, so it was not done: {item.permission}: {', '.join(item.patterns)}{reason}")


def _json(value: object) -> str:

    # Cleaned before it is JSON, where Unicode's line ends could not be told from those of the text.
    return cut(json.dumps(shown_data(value), ensure_ascii=False, indent=1))
