"""Makes the report of a run from what a waiter has seen and what OpenCode has on record."""

from collections.abc import Mapping
from typing import Any

import anyio

from opencode_mcp.diffs.merged import merge_diffs
from opencode_mcp.events.hub import Hub
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http.concurrent_reads import at_once
from opencode_mcp.opencode.vocabulary.backend_events import PartChanged
from opencode_mcp.opencode.vocabulary.models import BasePart, FileDiff, Message, ToolPart
from opencode_mcp.opencode.vocabulary.submission import Accepted
from opencode_mcp.runs.follow import CheckedAnswer, Observation, run_age
from opencode_mcp.runs.merging import read_merged
from opencode_mcp.runs.output_schema.checker_process import mismatch_apart
from opencode_mcp.runs.progress import Progress, still_running, writing
from opencode_mcp.runs.read_ahead import known_record
from opencode_mcp.runs.record import Run, SessionRecord, all_answers, read_session
from opencode_mcp.runs.report import STATUSES, AnswerSummary, RunReport, list_files, list_todos, summarise
from opencode_mcp.runs.state import ENDS, State
from opencode_mcp.text.outside_text import one_line

DIFF_SECONDS = 0.6
"""Time to wait for the rest of a diff: OpenCode computes it some 25 ms after the session went idle."""
FIRST_DIFF_SECONDS = 3.0
"""Time to wait while the diff is empty, which is long on a busy machine. A run without net changes waits it out."""
DIFF_PAUSE_SECONDS = 0.02
NEVER_FINISHED = (
    "OpenCode does not work on this run any more, and never finished it. The prompt may never have reached it, "
    "or OpenCode was restarted, or told to end what it did in this directory."
)


IN_PROMPT = (
    "This OpenCode has no structured output: the schema was part of the prompt, and the bridge checked the answer."
)
CORRECTED = "The first answer did not fit the schema, so OpenCode was asked once to correct it."
TAKEN_BACK = "The prompt was stopped before it began, and was taken back."
LEFT_IN_INBOX = (
    "The prompt was stopped before it began. It is still in the inbox of the session: OpenCode will run it with the "
    "next prompt."
)


def changed_settings(accepted: Accepted) -> str:
    """Return a note on the agent and the model that a prompt gave its session; empty if it changed neither."""
    variant = f" (variant {one_line(accepted.variant)})" if accepted.variant else ""
    agent = f"agent {one_line(accepted.agent)}" if accepted.agent else ""
    model = f"model {one_line(accepted.model)}{variant}" if accepted.model else ""
    settings = " and ".join(filter(None, [agent, model]))
    return f"The session now uses {settings}, also for later prompts that name none." if settings else ""


async def report_run(hub: Hub, run: Run, seen: Observation, schema: Mapping[str, Any] | None) -> RunReport:
    """Report a run that ended, waits, or goes on.

    Args:
        hub: Knows the error of a run that never began.
        run: The run.
        seen: The run as it was seen last.
        schema: The caller's ``output_schema``, where it is still known.

    Raises:
        BackendError: OpenCode could not be read.
    """
    if seen.state is State.LOST and seen.gone:
        return _lost_report(run, seen)
    async with at_once() as reads:
        reading_answers = reads.start(_answers, seen.client, run, seen)
        reading_session = reads.start(_session, seen.client, hub, run, seen)
        reading_merged = reads.start(_merged, seen.client, hub, run)
    answers = reading_answers.value
    report = _report(run, seen, summarise(answers), reading_session.value)
    report.message_reader = (await seen.client.features()).message_reader
    if seen.state in ENDS:
        await _add_end(report, hub, seen, summarise(answers), reading_merged.value)
    else:
        report.text = report.text or seen.text
        report.activity = seen.activity or _activity(seen.client, run, answers, seen.text)
    if seen.correction:
        report.note = CORRECTED
    return _add_checked(report, seen.checked) if seen.checked else await _check_output(report, schema)


def _report(run: Run, seen: Observation, answer: AnswerSummary, session: SessionRecord) -> RunReport:
    """Make the part of a report that a run has in every state."""
    return RunReport(
        status=STATUSES[seen.state],
        session_id=run.session_id,
        message_id=run.message_id,
        directory=run.directory,
        title=session.title,
        text=answer.text,
        text_message=answer.text_message,
        output=answer.output,
        todos=list_todos(session.todos),
        pending=seen.pending,
        children=session.children,
        model=answer.model,
        agent=answer.agent,
        tokens=answer.tokens,
        cost=answer.cost,
        seconds=answer.seconds,
    )


async def _add_end(report: RunReport, hub: Hub, seen: Observation, answer: AnswerSummary, merged: list[str]) -> None:
    """Add what only a run has that has ended: its changed files, and the reason of a bad end."""
    report.merged_with = merged
    report.files = list_files(await _diffs(report, seen, answer), report.directory)
    match seen.state:
        case State.COMPLETED:
            report.shortfall = answer.shortfall
        case State.FAILED:
            failure = hub.state(report.session_id).error
            report.error = answer.error or (failure.text if failure else "")
        case State.LOST:
            report.error = NEVER_FINISHED
        case _:
            pass


async def _answers(client: OpenCodeClient, run: Run, seen: Observation) -> list[Message]:
    """Return every answer, also those to the prompt that asked for a correction."""
    if seen.correction is None:
        return await _answers_to(client, run, seen)
    return await all_answers(client, run) + await _answers_to(client, seen.correction, seen)


async def _answers_to(client: OpenCodeClient, run: Run, seen: Observation) -> list[Message]:
    """Return every answer to a prompt; after an abort or a failure OpenCode writes the last ones only now."""
    if seen.state is State.COMPLETED and seen.whole:
        return seen.answers
    return await all_answers(client, run)


async def _session(client: OpenCodeClient, hub: Hub, run: Run, seen: Observation) -> SessionRecord:
    """Return the session's record as the follower or the event stream has it; read it only if neither has it."""
    known = seen.session or known_record(hub.state(run.session_id))
    return known or await read_session(client, run.session_id)


async def _merged(client: OpenCodeClient, hub: Hub, run: Run) -> list[str]:
    """Return the prompts that were answered together with the run's, if the stream showed another one."""
    others = [prompt for prompt in hub.state(run.session_id).prompts if prompt != run.message_id]
    return await read_merged(client, run) if others else []


def _activity(client: OpenCodeClient, run: Run, answers: list[Message], text: str) -> str:
    """Return the line of progress for a run that was only looked at: its present or last activity.

    Args:
        client: Knows OpenCode's clock.
        run: The run.
        answers: Its messages on record.
        text: The text that it is writing, as far as the stream delivered it.
    """
    last = answers[-1].parts if answers else []
    if text and not any(isinstance(part, ToolPart) for part in last):
        return writing(len(text))
    progress = Progress(run.session_id, run.message_id, run.directory, lambda: 0)
    for message in reversed(answers):
        for part in message.parts:
            progress.add(PartChanged(run.session_id, _as_begun(part)))
        if line := progress.take():
            return line
    return still_running(run_age(client, run))


def _as_begun(part: BasePart) -> Mapping[str, Any]:
    """Return a tool call as it was when it began: only then it makes a line of progress."""
    told = part.model_dump(by_alias=True, mode="json")
    if isinstance(part, ToolPart) and part.state.status == "completed":
        told["state"]["status"] = "running"
    return told


def _lost_report(run: Run, seen: Observation) -> RunReport:
    """Report what is known without a request: OpenCode is gone, and a request would start another."""
    return RunReport(
        status="failed",
        session_id=run.session_id,
        message_id=run.message_id,
        directory=run.directory,
        text=seen.text,
        activity=seen.activity,
        error=f"OpenCode went away in the middle of the run. {seen.gone}",
        lost=True,
    )


async def _diffs(report: RunReport, seen: Observation, answer: AnswerSummary) -> list[FileDiff]:
    """Read the run's diff until it holds every file that a step changed; one that was changed back never comes."""
    if not answer.changed_files:
        return []
    began = anyio.current_time()
    while True:
        found = await _diffs_so_far(report, seen)
        waited = anyio.current_time() - began
        is_whole = all(_is_in(path, found) for path in answer.changed_files)
        if is_whole or waited > (DIFF_SECONDS if found else FIRST_DIFF_SECONDS):
            return found
        # Long waits are rare, and need no quick look.
        await anyio.sleep(max(DIFF_PAUSE_SECONDS, waited / 10))


async def _diffs_so_far(report: RunReport, seen: Observation) -> list[FileDiff]:
    found = await seen.client.session_diff(report.session_id, report.message_id)
    if seen.correction is None:
        return found
    return merge_diffs([found, await seen.client.session_diff(report.session_id, seen.correction.message_id)])


def _is_in(path: str, diffs: list[FileDiff]) -> bool:
    return any(path.endswith(diff.file) for diff in diffs)


def _add_checked(report: RunReport, checked: CheckedAnswer) -> RunReport:
    """Add an answer whose schema was part of the prompt; the text is not repeated if it says nothing else."""
    report.note = " ".join(filter(None, [IN_PROMPT, report.note]))
    report.output = checked.value
    if checked.is_whole_text:
        report.text = ""
    if checked.problem:
        report.status, report.error = "failed", checked.problem
    return report


async def _check_output(report: RunReport, schema: Mapping[str, Any] | None) -> RunReport:
    """Report a completed run as failed if its answer violates the caller's schema; the report shows both."""
    if schema is None or report.status != "completed":
        return report
    if report.output is None:
        report.status, report.error = "failed", "The model gave no structured answer."
    elif wrong := await mismatch_apart(schema, report.output):
        report.status, report.error = "failed", wrong
    return report
