"""Makes the report of a run from what a waiter has seen and what OpenCode has on record."""

from collections.abc import Mapping
from typing import Any

import anyio

from opencode_mcp.events.hub import Hub
from opencode_mcp.events.wire import PartChanged
from opencode_mcp.opencode.at_once import at_once
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.models import BasePart, FileDiff, Message, ToolPart
from opencode_mcp.runs.follow import Observation, run_age
from opencode_mcp.runs.merging import read_merged
from opencode_mcp.runs.output_schema.check import mismatch_apart
from opencode_mcp.runs.progress import Progress, still_running, writing
from opencode_mcp.runs.record import Run, SessionRecord, all_answers, read_session
from opencode_mcp.runs.report import STATUSES, AnswerSummary, RunReport, list_files, list_todos, summarise
from opencode_mcp.runs.state import ENDS, State

# OpenCode computes a prompt's diff some 25 ms after the session went idle.
DIFF_READS = 25
DIFF_PAUSE = 0.02


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
    client = seen.client
    ended = seen.state in ENDS
    async with at_once() as reads:
        said = reads.start(_answers, client, run, seen)
        looked_up = reads.start(_session, client, run, seen)
        merged = reads.start(_merged, client, hub, run)
    answers, session = said.value, looked_up.value
    answer = summarise(answers)
    told = hub.state(run.session_id).error
    report = RunReport(
        status=STATUSES[seen.state],
        session_id=run.session_id,
        message_id=run.message_id,
        directory=run.directory,
        title=session.title,
        text=answer.text or ("" if ended else seen.text),
        output=answer.output,
        merged_with=merged.value if ended else [],
        shortfall=answer.shortfall if seen.state is State.COMPLETED else "",
        error=(answer.error or (told.text if told else "")) if seen.state is State.FAILED else "",
        activity="" if ended else seen.activity or _activity(client, run, answers, seen.text),
        files=list_files(await _diffs(client, run, answer) if ended else [], run.directory),
        todos=list_todos(session.todos),
        pending=seen.pending,
        children=session.children,
        model=answer.model,
        agent=answer.agent,
        tokens=answer.tokens,
        cost=answer.cost,
        seconds=answer.seconds,
    )
    if seen.state is State.LOST:
        report.error = (
            "OpenCode does not work on this run any more, and never finished it. The prompt may never have reached it, "
            "or OpenCode was restarted, or told to end what it did in this directory."
        )
    return await _check_output(report, schema)


async def _answers(client: OpenCodeClient, run: Run, seen: Observation) -> list[Message]:
    """Every answer; after an abort or a failure OpenCode writes the last ones only now."""
    if seen.state is State.COMPLETED and seen.whole:
        return seen.answers
    return await all_answers(client, run)


async def _session(client: OpenCodeClient, run: Run, seen: Observation) -> SessionRecord:
    return seen.session or await read_session(client, run.session_id)


async def _merged(client: OpenCodeClient, hub: Hub, run: Run) -> list[str]:
    """The prompts that were answered together with the run's; read only where the stream told of another one."""
    others = [prompt for prompt in hub.state(run.session_id).prompts if prompt != run.message_id]
    return await read_merged(client, run) if others else []


def _activity(client: OpenCodeClient, run: Run, answers: list[Message], text: str) -> str:
    """What a run is doing, or did last, for one who has only just looked: the line that a waiter was told.

    Args:
        client: Knows OpenCode's clock.
        run: The run.
        answers: Its messages on record.
        text: What the stream told of the text that it is at.
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
    """A tool call that has ended tells what it was about as it did when it began."""
    told = part.model_dump(by_alias=True, mode="json")
    if isinstance(part, ToolPart) and part.state.status == "completed":
        told["state"]["status"] = "running"
    return told


def _lost_report(run: Run, seen: Observation) -> RunReport:
    """What is known without asking: OpenCode is gone, and asking would start another."""
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


async def _diffs(client: OpenCodeClient, run: Run, answer: AnswerSummary) -> list[FileDiff]:
    """Read the run's diff once it holds every file that a step changed; one that was changed back never comes."""
    found: list[FileDiff] = []
    for _ in range(DIFF_READS if answer.changed_files else 0):
        found = await client.session_diff(run.session_id, run.message_id)
        if all(any(path.endswith(diff.file) for diff in found) for path in answer.changed_files):
            break
        await anyio.sleep(DIFF_PAUSE)
    return found


async def _check_output(report: RunReport, schema: Mapping[str, Any] | None) -> RunReport:
    """A completed run whose answer breaks the caller's schema has failed, and shows both."""
    if schema is None or report.status != "completed":
        return report
    if report.output is None:
        report.status, report.error = "failed", "The model gave no structured answer."
    elif wrong := await mismatch_apart(schema, report.output):
        report.status, report.error = "failed", wrong
    return report
