"""Outcome of a task, from the report of its run or from an error."""

from dataclasses import replace
from typing import TYPE_CHECKING

from opencode_mcp.batch_queue.tasks import TaskOutcome
from opencode_mcp.secrets import redact_text
from opencode_mcp.server.batches.continuation import Done
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from opencode_mcp.batch_queue.tasks import QueueStatus
    from opencode_mcp.errors import BridgeError
    from opencode_mcp.runs.outcome.run_report import RunReport

FILES_NAMED = 2
"""Most changed files that the table names."""
NOTHING_DONE = Done()
NOTE_LIMIT = 300
"""Characters of an error in the table; the report of the run has all of it."""
ANSWER_LIMIT = 80
"""Characters of an answer in the table."""


def outcome_of(report: "RunReport", before: Done) -> TaskOutcome:
    """Return the outcome of a task whose run has ended.

    Args:
        report: Report of the run.
        before: Work on the task before it.
    """
    note = report.error or report.shortfall or report.passed_limit
    outcome = _outcome(report.status, note, before.with_run(report))
    answer = _excerpt(report.text, ANSWER_LIMIT) if report.status == "completed" else ""
    return replace(outcome, verified=report.verified, answer=answer)


def failure_of(error: "BridgeError", before: Done = NOTHING_DONE) -> TaskOutcome:
    """Return the outcome of a task whose run could not be started or followed.

    Args:
        error: The reason.
        before: Work on the task before this run.
    """
    return _outcome("failed", f"{error.message} {error.hint}", before)


def _outcome(status: "QueueStatus", note: str, done: Done) -> TaskOutcome:
    added, removed = done.lines
    return TaskOutcome(
        status=status,
        note=_excerpt(note, NOTE_LIMIT),
        files=len(done.files),
        added=added,
        removed=removed,
        names=_names(list(done.files)),
        cost=done.cost,
        seconds=done.seconds,
    )


def _names(paths: list[str]) -> str:
    """Return the paths of changed files, one on each line; empty if they are too many to be named."""
    return "\n".join(one_line(path) for path in paths) if len(paths) <= FILES_NAMED else ""


def _excerpt(text: str, limit: int) -> str:
    """Return the beginning of a text on one line, without secrets."""
    return one_line(redact_text.redacted_text(text), limit)
