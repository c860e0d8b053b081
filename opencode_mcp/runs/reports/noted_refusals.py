"""Refusals that the bridges have noted in a session, for the report of a run whose refusals this bridge did not send.

Pure.
"""

from collections.abc import Iterable

from opencode_mcp.runs.outcome.endings import refusal_text
from opencode_mcp.runs.outcome.run_report import Decision, RunReport
from opencode_mcp.runs.session_history.given_answers import GivenAnswer


def add_noted_refusals(report: RunReport, given: Iterable[GivenAnswer]) -> None:
    """Add the refused permissions of the run to its report, and the refusal with which it ended.

    Args:
        report: The report, without these.
        given: The answers that the session has on record, for any of its prompts.
    """
    for answer in given:
        if answer.prompt_id == report.message_id and answer.permission:
            report.decided.append(_decision(answer))
            if answer.ends_run:
                report.shortfall = refusal_text(answer.permission, ", ".join(answer.patterns))


def _decision(answer: GivenAnswer) -> Decision:
    return Decision(
        permission=answer.permission,
        patterns=list(answer.patterns),
        reply=answer.reply,
        by=answer.by,
        message=answer.reason,
    )
