"""Makes the report of a run from what a waiter has seen and what OpenCode has on record."""

import logging
from collections.abc import Mapping
from typing import Any

import anyio

from opencode_mcp.diffs.merged import merge_diffs
from opencode_mcp.errors import BackendError
from opencode_mcp.events.hub import Hub
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http.concurrent_reads import at_once
from opencode_mcp.opencode.vocabulary.models import Failure, FileDiff, Message
from opencode_mcp.opencode.vocabulary.submission import Accepted
from opencode_mcp.runs.endings import failure_kind
from opencode_mcp.runs.follow import CheckedAnswer, Observation, present_activity, run_age
from opencode_mcp.runs.merging import read_merged
from opencode_mcp.runs.output_schema.checker_process import mismatch_apart
from opencode_mcp.runs.read_ahead import known_record
from opencode_mcp.runs.record import Run, SessionRecord, all_answers, read_session
from opencode_mcp.runs.report import (
    STATUSES,
    AnswerSummary,
    RunReport,
    add_neighbours,
    is_default_title,
    list_files,
    list_todos,
    summarise,
)
from opencode_mcp.runs.state import ENDS, State
from opencode_mcp.text.outside_text import one_line

logger = logging.getLogger(__name__)

DIFF_SECONDS = 0.6
"""Time to wait for the rest of a diff: OpenCode computes it some 25 ms after the session went idle."""
FIRST_DIFF_SECONDS = 3.0
"""Time to wait while the diff is empty, which is long on a busy machine. A run without net changes waits it out."""
DIFF_PAUSE_SECONDS = 0.02
NEIGHBOURS_SHOWN = 5
NEVER_FINISHED = (
    "OpenCode does not work on this run any more, and never finished it. The prompt may never have reached it, "
    "or OpenCode was restarted, or told to end what it did in this directory."
)


IN_PROMPT = (
    "This OpenCode has no structured output: the schema was part of the prompt, and this MCP server checked the answer."
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
    answer = summarise(answers)
    report = _report(run, seen, answer, reading_session.value)
    report.message_reader = (await seen.client.features()).message_reader
    report.waited = _waited(hub, run)
    if seen.state in ENDS:
        await _add_end(report, hub, seen, answer, reading_merged.value)
        _add_neighbours(report, hub, run_age(seen.client, run), answer)
    else:
        await _add_present(report, hub, run, seen, answers)
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
        title="" if is_default_title(session.title) else session.title,
        prompt=run.words,
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
            report.shortfall = answer.refused or answer.shortfall
        case State.FAILED:
            await _add_failure(report, seen.client, answer.failure or hub.state(report.session_id).error)
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


async def _add_failure(report: RunReport, client: OpenCodeClient, failure: Failure | None) -> None:
    """Add the error of a failed run, its kind, and the other models that can be used (``config.providers``)."""
    if failure is None:
        return
    report.error, report.failure = failure.text, failure_kind(failure)
    try:
        usable = (await client.used_providers(report.directory)).usable
    except BackendError as error:
        logger.info("could not read the models that can be used: %s", error)
        return
    report.usable_models = [model for model in usable if model != report.model]


async def _add_present(report: RunReport, hub: Hub, run: Run, seen: Observation, answers: list[Message]) -> None:
    """Add what only a run has that goes on: its age, the text so far, and what it does now."""
    report.seconds = round(run_age(seen.client, run), 3)
    report.text = seen.text or report.text
    if seen.state is not State.WAITING:
        report.activity = await present_activity(seen.client, hub, run, seen.status, answers)


def _waited(hub: Hub, run: Run) -> float:
    """Return the seconds that a run waited for answers, if it is the session's latest prompt and that was seen."""
    prompts = hub.state(run.session_id).prompts
    if not prompts or prompts[-1] != run.message_id:
        return 0
    return round(hub.answer_waits.seconds(run.session_id, anyio.current_time()), 3)


def _add_neighbours(report: RunReport, hub: Hub, age: float, answer: AnswerSummary) -> None:
    """Name the sessions that worked in the project meanwhile, if files may be theirs."""
    if not report.files or not age:
        return
    begin = anyio.current_time() - age
    neighbours = hub.worked_meanwhile(report.session_id, report.directory, begin, begin + report.seconds)
    add_neighbours(report.files, neighbours[:NEIGHBOURS_SHOWN], answer.edits)


def _lost_report(run: Run, seen: Observation) -> RunReport:
    """Report what is known without a request: OpenCode is gone, and a request would start another."""
    return RunReport(
        status="failed",
        session_id=run.session_id,
        message_id=run.message_id,
        directory=run.directory,
        prompt=run.words,
        text=seen.text,
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
