"""Next step of the caller after a report of a run, by the state of the run."""

import json
from typing import TYPE_CHECKING

from opencode_mcp.runs.outcome import shortfall_sentences
from opencode_mcp.server.results.render import without_tools
from opencode_mcp.server.results.run_reports.answer_steps import answer_step
from opencode_mcp.server.results.run_reports.failed_run_steps import failure_step
from opencode_mcp.text.outside_text import one_line
from opencode_mcp.workspace.configuration.protected_files import decides_what_runs

if TYPE_CHECKING:
    from opencode_mcp.runs.outcome.run_report import (
        ChangedFile,
        RunReport,
    )

OWN_CHANGES = frozenset({"this", "shared"})
"""Authors of the changes that a run made itself."""
LOST_PLACE = (
    'opencode_session(session_id="{session}") shows the conversation. opencode_run(prompt=...) begins a new session.'
)
GO_ON = "Go on"
"""Beginning of the next step after a run whose answer is whole."""


def next_step(report: "RunReport") -> str:
    """Return the next step of the caller in a few sentences, without those that name tools which are not listed."""
    is_lost = report.place_gone and report.status in {"completed", "aborted"}
    step = LOST_PLACE.format(session=report.session_id) if is_lost else _next_step(report)
    return without_tools(step, report.unlisted_tools)


def _next_step(report: "RunReport") -> str:
    session = f'session_id="{report.session_id}"'
    match report.status:
        case "completed":
            return _after_completion(report, session)
        case "running":
            return f"{_step_while_running(report, session)} {_forms_of_session(report, session)}".rstrip()
        case "needs_input":
            return " ".join([*map(answer_step, report.pending), "The run waits meanwhile."])
        case "aborted":
            return _step_after_stop(report, session)
        case "failed" if report.lost:
            return f"opencode_wait({session}) finds OpenCode again and reports what it kept of the run."
        case "failed":
            return failure_step(report)


def _step_while_running(report: "RunReport", session: str) -> str:
    if report.idle:
        return f"opencode_wait({session}) reports its end, or within a minute or so that it has none."
    step = f"It goes on by itself. Wait on with opencode_wait({session}). opencode_abort({session}) stops it."
    if not report.also_running:
        return step
    every = json.dumps([report.session_id, *report.also_running])
    return f'{step} With the others that go on: opencode_wait(session_ids={every}, until="any").'


def _forms_of_session(report: "RunReport", session: str) -> str:
    """Return a sentence on the open forms of clients in the session; empty if there are none."""
    if not report.session_forms:
        return ""
    forms = ", ".join(map(one_line, report.session_forms))
    return f"A client asks something in the session ({forms}), and the run does not wait: opencode_session({session})."


def _after_completion(report: "RunReport", session: str) -> str:
    """Return the next step after a completed run: first what makes its work whole, or what shows its changes."""
    if report.verified in {"failed", "timed out"}:
        return f"Have the cause corrected in the same session with opencode_run({session}, prompt=...)."
    further = _after_shortfall(report.shortfall)
    if further == GO_ON and any(map(_has_diff, report.files)):
        return f"{_to_changes(report, session)} opencode_run with this session_id goes on."
    return f"{further} with opencode_run({session}, prompt=...)."


def _has_diff(file: "ChangedFile") -> bool:
    """Return True for a change of the run's own that OpenCode has recorded."""
    return file.whose in OWN_CHANGES and not file.by_calls and not file.outside


def _to_changes(report: "RunReport", session: str) -> str:
    """Return sentences on how to see the changes of a run, and to keep or undo them."""
    seen = f"opencode_diff({session}) shows the changes."
    deciding = next((file.path for file in report.files if _has_diff(file) and decides_what_runs(file.path)), "")
    if report.isolated:
        return f"{seen} {_to_bring(report, session, deciding)}"
    if deciding:
        return (
            f"{seen} {one_line(deciding)} decides what OpenCode runs: opencode_revert undoes that only if the settings "
            f"allow it, and else names the flag. A prompt can have it changed back. {report.changes_loaded}"
        )
    return f'{seen} opencode_revert({session}, message_id="{report.message_id}") undoes them.'


def _to_bring(report: "RunReport", session: str, deciding: str) -> str:
    """Return a sentence on how to bring isolated changes into the project, or to drop them.

    Args:
        report: The run.
        session: Argument that names its session.
        deciding: A changed file that decides what OpenCode runs; empty if there is none.
    """
    removes = 'how="discard" removes the worktree, which stays until then.'
    if report.remote:
        return f'opencode_integrate({session}, how="merge") says how to bring them into the project; {removes}'
    if deciding:
        return (
            f"{one_line(deciding)} decides what OpenCode runs: opencode_integrate({session}) brings it into the "
            "project only if the person has allowed that. Have OpenCode take this change back in the same session to "
            f'bring the rest, or keep all on the branch with how="branch", for the person to merge; {removes}'
        )
    brings = "them into the project"
    if report.brought:
        brings = 'what is new into the project, how="undo" takes all out again'
    return f'opencode_integrate({session}, how="apply") brings {brings}; {removes}'


def _after_shortfall(reason: str) -> str:
    """Return the beginning of the next step after a run without a whole answer."""
    steps = {
        shortfall_sentences.CUT: "Ask for the rest, or again and for less at once,",
        shortfall_sentences.NO_ANSWER: "Ask again",
        shortfall_sentences.QUESTION_DISMISSED: "Say how to go on without that answer,",
        shortfall_sentences.PERMISSION_REFUSED.partition("{}")[0]: "Say how to go on without that call,",
    }
    return next((step for part, step in steps.items() if part in reason), GO_ON)


def _step_after_stop(report: "RunReport", session: str) -> str:
    if report.removed:
        return f"The session goes on without it: opencode_wait({session}) reports its latest prompt."
    if report.session_deleted:
        return "What it did stays. opencode_run(prompt=...) begins a new session."
    if report.at_limit:
        again = f"opencode_run({session}, prompt=...)"
        return f"What it did stays. If the task is worth more, go on with {again}. Each prompt has its own limits."
    return f"What it did stays. Give it another prompt with opencode_run({session}, prompt=...)."
