"""Makes the report of a run from what a waiter has seen and what OpenCode has on record."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import anyio

from opencode_mcp.errors import BackendError
from opencode_mcp.events.hub import Hub
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.read_group import at_once
from opencode_mcp.opencode.vocabulary.default_titles import made_title
from opencode_mcp.opencode.vocabulary.submission import Receipt
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.shared_values import Failure
from opencode_mcp.runs.following.observation import CheckedAnswer, Observation
from opencode_mcp.runs.following.present_activity import present_activity, waiting_behind
from opencode_mcp.runs.following.read_ahead import known_record
from opencode_mcp.runs.limits import Used, passed_limit
from opencode_mcp.runs.outcome.answer_summary import AnswerSummary, summarise
from opencode_mcp.runs.outcome.endings import failure_kind
from opencode_mcp.runs.outcome.failed_command import failed_command
from opencode_mcp.runs.outcome.run_report import STATUSES, RunReport, Status, Usage, list_todos
from opencode_mcp.runs.outcome.state import ENDS, IDLE_LIMIT_SECONDS, State
from opencode_mcp.runs.output_schema.checker_process import mismatch_apart
from opencode_mcp.runs.prompting.message_ids import age_of
from opencode_mcp.runs.reports.changed_files import changed_files
from opencode_mcp.runs.reports.integrated_work import OtherWork, no_other_work
from opencode_mcp.runs.reports.last_calls import last_calls
from opencode_mcp.runs.reports.merged_prompts import read_merged
from opencode_mcp.runs.reports.noted_refusals import add_noted_refusals
from opencode_mcp.runs.reports.subagent_spending import SubagentSpending, read_subagent_spending
from opencode_mcp.runs.reports.waited_time import waited_seconds
from opencode_mcp.runs.run_age import run_age
from opencode_mcp.runs.run_record import Run, SessionRecord, all_answers, read_session
from opencode_mcp.runs.session_history.given_answers import GivenAnswer, answers_in
from opencode_mcp.runs.session_history.spending import step_of
from opencode_mcp.text.outside_text import one_line
from opencode_mcp.text.utc_time import utc_text

logger = logging.getLogger(__name__)

END_SECONDS = 2.0
"""Time to wait for the end of an aborted message: OpenCode is idle before it has stored the text and the time."""
END_PAUSE_SECONDS = 0.1
UNSEEN = "The present state could not be read: {error} The run may have ended meanwhile."
NEVER_FINISHED = (
    "OpenCode does not work on this run any more, and never finished it. The prompt may never have reached it, "
    "or OpenCode was restarted, or told to end what it did in this directory."
)


IDLE = "nothing, as far as is known: OpenCode does not work in this session, and has no end of the run on record"

IN_PROMPT = (
    "This OpenCode has no structured output: the schema was part of the prompt, and this MCP server checked the answer."
)
CORRECTED = "The first answer did not fit the schema, so OpenCode was asked once to correct it."
REMOVED = (
    "This prompt was undone, and the session's next prompt made that final: OpenCode has removed it with its answer."
)
SESSION_DELETED = "Its session was deleted."
GOES_ON = "OpenCode still works on it until its end: only a session that is there can be stopped."
COPIED = (
    "Nothing runs here: this session is a fork, which copied the prompt before its answer was complete. The session "
    "that it was copied from goes on by itself."
)
WITHDRAWN = "The prompt was stopped before it began, and was withdrawn."
LEFT_IN_INBOX = (
    "The prompt was stopped before it began. It is still in the inbox of the session: OpenCode will run it with the "
    "next prompt."
)


def changed_settings(accepted: Receipt) -> str:
    """Return a note on the agent and the model that a prompt gave its session; empty if it changed neither."""
    variant = f" (variant {one_line(accepted.variant)})" if accepted.variant else ""
    agent = f"agent {one_line(accepted.agent)}" if accepted.agent else ""
    model = f"model {one_line(accepted.model)}{variant}" if accepted.model else ""
    settings = " and ".join(filter(None, [agent, model]))
    return f"The session now uses {settings}, also for later prompts that name none." if settings else ""


async def report_run(
    hub: Hub,
    run: Run,
    seen: Observation,
    schema: Mapping[str, Any] | None,
    other_work: OtherWork = no_other_work,
) -> RunReport:
    """Report a run that ended, waits, or goes on.

    Args:
        hub: Knows the error of a run that never began.
        run: The run.
        seen: The run as it was seen last.
        schema: The caller's ``output_schema``, where it is still known.
        other_work: Reads what was changed in the directory without a session that works there.

    Raises:
        BackendError: OpenCode could not be read.
    """
    if report := _report_without_read(run, seen):
        return report
    record = await _read_record(hub, run, seen)
    answers, answer = record.answers, summarise(record.answers)
    report = _report(run, seen, answer, record.session)
    await _add_features(report, seen.client)
    _add_spending(report, answers, await read_subagent_spending(seen.client, run.session_id, answers))
    given = await _given(hub, run, seen, answer)
    report.waited = _waited(hub, run, seen, answers, given)
    add_noted_refusals(report, given)
    if seen.state in ENDS:
        report.merged_with = record.merged_with
        report.failed_command = failed_command(answers)
        report.files = await changed_files(report, seen, answers, other_work)
        await _add_end(report, hub, seen, answers, answer)
    else:
        await _add_present(report, hub, run, seen, answers)
    if report.seconds:
        # A form that is opened after the end of a run counts for its prompt until the next one.
        report.waited = min(report.waited, report.seconds)
    report.note = _origin(seen)
    if seen.state is State.COMPLETED:
        _add_passed_limit(report, run, answers)
    return _add_checked(report, seen.checked) if seen.checked else await _check_output(report, schema)


@dataclass(frozen=True, slots=True)
class _Record:
    """Record of a run as far as a report reads it at once, before the rest."""

    answers: list[Message]
    session: SessionRecord
    merged_with: list[str]
    """Prompts that were answered together with the run's."""


async def _read_record(hub: Hub, run: Run, seen: Observation) -> _Record:
    async with at_once() as reads:
        answers = reads.start(_answers, seen.client, run, seen)
        session = reads.start(_session, seen.client, hub, run, seen)
        merged = reads.start(_merged, seen.client, hub, run)
    return _Record(answers.value, session.value, merged.value)


async def _add_features(report: RunReport, client: OpenCodeClient) -> None:
    """Add what the report says only of one generation of OpenCode."""
    features = await client.features()
    report.message_reader, report.changes_loaded = features.message_reader, features.rereading.changes_loaded


def _origin(seen: Observation) -> str:
    """Return a note if the answer or the prompt did not come about as usual; empty otherwise."""
    if seen.is_copied and seen.state is State.ABORTED:
        return COPIED
    return CORRECTED if seen.correction else ""


def _report(run: Run, seen: Observation, answer: AnswerSummary, session: SessionRecord) -> RunReport:
    """Make the part of a report that a run has in every state."""
    return RunReport(
        status=STATUSES[seen.state],
        session_id=run.session_id,
        message_id=run.message_id,
        directory=run.directory,
        title=made_title(session.title),
        prompt=run.words,
        text=answer.text,
        text_message=answer.text_message,
        output=answer.output,
        todos=list_todos(session.todos),
        pending=seen.pending,
        session_forms=seen.session_forms,
        children=session.children,
        are_children_known=session.are_children_known,
        model=answer.model,
        agent=answer.agent,
        tokens=answer.tokens,
        cost=answer.cost,
        started=_started(seen.client, run),
        seconds=_duration(run, answer),
    )


def _started(client: OpenCodeClient, run: Run) -> str:
    """Return the time of the prompt; empty if its id does not show it."""
    age = run_age(client, run)
    return utc_text((client.clock.now() - age) * 1000) if age else ""


def _duration(run: Run, answer: AnswerSummary) -> float:
    """Return the seconds from the prompt to the end of the last message.

    They count from the first message if the prompt's id does not show its time.
    """
    since_prompt = age_of(run.message_id, int(answer.ended)) if answer.ended else 0
    return round(max(since_prompt, answer.seconds), 3)


def _add_spending(report: RunReport, answers: list[Message], subagents: SubagentSpending) -> None:
    """Add what the subagents spent, and whether OpenCode knows the cost of all that the run did."""
    spent = subagents.spent
    report.cost = round(report.cost + spent.cost, 6)
    own = report.tokens
    report.tokens = Usage(input=own.input + spent.input, output=own.output + spent.output, reasoning=own.reasoning)
    report.subagents_cost, report.subagents_counted = round(spent.cost, 6), subagents.number
    steps = [step_of(message.info) for message in answers]
    report.is_cost_known = subagents.is_whole and not any(step.is_broken_off for step in steps)


async def _add_end(
    report: RunReport, hub: Hub, seen: Observation, answers: list[Message], answer: AnswerSummary
) -> None:
    """Add the reason of a bad end."""
    match seen.state:
        case State.COMPLETED:
            report.shortfall = answer.refused or answer.shortfall
        case State.FAILED:
            await _add_failure(report, seen.client, answer.failure or hub.state(report.session_id).error)
        case State.ABORTED:
            report.shortfall = report.shortfall or answer.refused
            report.last_calls = last_calls(answers, report.directory)
        case State.LOST:
            report.error, report.broken_off = NEVER_FINISHED, True
        case _:
            pass


async def _answers(client: OpenCodeClient, run: Run, seen: Observation) -> list[Message]:
    """Return every answer, also those to the prompts that asked for a correction or sent a failure back."""
    if not _is_begun(seen):
        return []  # The latest messages answer another prompt.
    prompts = [replace(run, message_id=prompt) for prompt in seen.prompts or [run.message_id]]
    if seen.correction is not None:
        prompts.append(seen.correction)
    answers: list[Message] = []
    for prompt in prompts[:-1]:
        answers += await all_answers(client, prompt)
    return answers + await _answers_to(client, prompts[-1], seen)


def _is_begun(seen: Observation) -> bool:
    """Return True if OpenCode has begun the prompt of a run, or the first of its prompts."""
    is_first_unstarted = seen.is_never_started and not seen.prompts and seen.correction is None
    return seen.waits_behind is None and not is_first_unstarted


async def _answers_to(client: OpenCodeClient, run: Run, seen: Observation) -> list[Message]:
    """Return every answer to a prompt; after an abort or a failure OpenCode writes the last ones only now."""
    if seen.state is State.COMPLETED and seen.is_whole:
        return seen.answers
    answers = await all_answers(client, run)
    if seen.state is not State.ABORTED:
        return answers
    give_up = anyio.current_time() + END_SECONDS
    while answers and answers[-1].info.time.completed is None and anyio.current_time() < give_up:
        await anyio.sleep(END_PAUSE_SECONDS)
        answers = await all_answers(client, run)
    return answers


async def _session(client: OpenCodeClient, hub: Hub, run: Run, seen: Observation) -> SessionRecord:
    """Return the session's record as the follower or the event stream has it; read it only if neither has it."""
    known = seen.session or known_record(hub.state(run.session_id))
    return known or await read_session(client, run.session_id)


async def _merged(client: OpenCodeClient, hub: Hub, run: Run) -> list[str]:
    """Return the prompts that were answered together with the run's; they are read only if there may be one."""
    state = hub.state(run.session_id)
    if state.sole_prompt == run.message_id or set(state.prompts) <= {run.message_id}:
        return []
    return await read_merged(client, run)


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
    if seen.waits_behind is not None:
        report.activity = waiting_behind(seen.waits_behind)
    elif seen.verifying:
        report.activity = seen.verifying
    elif seen.is_idle and report.seconds > IDLE_LIMIT_SECONDS:
        report.activity, report.idle = IDLE, True
    elif seen.state is not State.WAITING:
        report.activity = await present_activity(seen.client, hub, run, seen.status, answers)


async def _given(hub: Hub, run: Run, seen: Observation, answer: AnswerSummary) -> list[GivenAnswer]:
    """Return the answers that the session has on record, for any of its prompts.

    The session is read only if a refusal may have ended the run, or the event stream does not tell how long it waited.
    """
    if seen.waits_behind is not None:
        return []
    may_be_refused = seen.state is State.ABORTED or bool(answer.refused)
    if hub.answer_waits.is_whole(run.message_id) and not may_be_refused:
        return []
    return answers_in(await seen.client.session_get(run.session_id))


def _waited(hub: Hub, run: Run, seen: Observation, answers: list[Message], given: list[GivenAnswer]) -> float:
    """Return the seconds that a run waited for answers."""
    if seen.waits_behind is not None:
        return 0
    pending = [request.request_id for request in seen.pending if not request.of_client]
    return waited_seconds(hub, run.message_id, answers, given, pending, seen.client.clock.now() * 1000)


def _add_passed_limit(report: RunReport, run: Run, answers: list[Message]) -> None:
    """Add the limit that a completed run has passed. The steps of its subagents are not read for this."""
    steps = sum(message.info.role == "assistant" for message in answers)
    used = Used(report.cost, steps, max(report.seconds - report.waited, 0))
    report.passed_limit = passed_limit(run.limits, used)
    report.note = " ".join(filter(None, [report.note, report.passed_limit]))


def _report_without_read(run: Run, seen: Observation) -> RunReport | None:
    """Report a run of which OpenCode has nothing, or that cannot be read any more; ``None`` for any other."""
    if seen.state is State.LOST and seen.gone:
        return _lost_report(run, seen)
    if seen.is_removed:
        return _bare_report(run, "aborted").model_copy(update={"note": REMOVED, "removed": True})
    if seen.is_session_deleted:
        reason = f"{SESSION_DELETED} {GOES_ON}" if seen.is_still_at_work else SESSION_DELETED
        return _bare_report(run, "aborted").model_copy(update={"shortfall": reason, "session_deleted": True})
    return None


def unseen_report(run: Run, note: str) -> RunReport:
    """Report a run that OpenCode has, but that could not be read: it goes on, as far as is known.

    Args:
        run: The run.
        note: Sentences on why it could not be read.
    """
    return _bare_report(run, "running").model_copy(update={"note": note})


def _lost_report(run: Run, seen: Observation) -> RunReport:
    """Report what is known without a request: OpenCode is gone, and a request would start another."""
    error = f"OpenCode went away in the middle of the run. {seen.gone}"
    return _bare_report(run, "failed").model_copy(update={"text": seen.text, "error": error, "lost": True})


def _bare_report(run: Run, status: Status) -> RunReport:
    """Return a report that only names the run, and says how it stands."""
    return RunReport(
        status=status,
        session_id=run.session_id,
        message_id=run.message_id,
        directory=run.directory,
        prompt=run.words,
    )


def _add_checked(report: RunReport, checked: CheckedAnswer) -> RunReport:
    """Add an answer whose schema was part of the prompt; the text is not repeated if it says nothing else."""
    report.note = " ".join(filter(None, [IN_PROMPT, report.note]))
    report.output = checked.value
    if checked.is_whole_text:
        report.text = ""
    if checked.problem:
        _fail(report, checked.problem)
    return report


async def _check_output(report: RunReport, schema: Mapping[str, Any] | None) -> RunReport:
    """Report a completed run as failed if its answer violates the caller's schema; the report shows both."""
    if schema is None or report.status != "completed":
        return report
    if report.output is None:
        _fail(report, "The model gave no structured answer.")
    elif wrong := await mismatch_apart(schema, report.output):
        _fail(report, wrong)
    return report


def _fail(report: RunReport, problem: str) -> None:
    """Make a report of a run whose answer does not fit its schema."""
    report.status, report.error, report.failure = "failed", problem, "answer"
