"""Tools that start runs, wait for them and stop them."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

from mcp_types import CallToolResult, InputRequiredResult
from pydantic import Field

from opencode_mcp.errors import BackendError, InvalidArgument, NoRunYet, NotFound, SessionBusy
from opencode_mcp.server.access.execution import verify_commands
from opencode_mcp.server.batches import batch_wait
from opencode_mcp.server.bridge import BridgeContext, bridge_of
from opencode_mcp.server.definition.tool import tool
from opencode_mcp.server.finish import finish_command
from opencode_mcp.server.new_runs import command_note, isolated_runs, run_orders
from opencode_mcp.server.open_calls import note_wait
from opencode_mcp.server.results.run_reports.run_answer import UNFINISHED_STATUSES
from opencode_mcp.server.results.run_reports.several_reports import reports_result
from opencode_mcp.server.results.schemas import REPORT_TEXTS, REPORTS_TEXTS, RUN_REPORT, SAME_REPORT
from opencode_mcp.server.sessions.undone import undone_run
from opencode_mcp.server.waiting import shell_permission
from opencode_mcp.server.waiting.answerers import add_answerers, starter_of
from opencode_mcp.server.waiting.call_deadlines import (
    READ_AGAIN,
    before_start,
    deadlines_of,
    start_deadline_of,
    starting,
)
from opencode_mcp.server.waiting.progress_notifications import progress_sender
from opencode_mcp.server.waiting.wait import CallResult, report_result, resumed_run, wait_for_run
from opencode_mcp.text.quantities import quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.runs.outcome.run_report import RunReport
    from opencode_mcp.runs.run_record import Run
    from opencode_mcp.runs.session_stopping import StopResult
    from opencode_mcp.server.bridge import Bridge
    from opencode_mcp.server.waiting.call_deadlines import Deadlines

NAMED_IN_NOTE = 10
"""Number of calls or sessions that a note names."""
Seconds = Annotated[
    float | None,
    Field(
        ge=0,
        le=3600,
        description="Default: what your client tolerates. The run continues",
    ),
]
SecondsAsForRun = Annotated[float | None, Field(ge=0, le=3600, description="See opencode_run")]
Strictness = Annotated[
    Literal["agent", "human", "reject"] | None,
    Field(description="Who answers OpenCode's requests, if stricter than set. human: a form, else you"),
]
StrictnessAsForRun = Annotated[Literal["agent", "human", "reject"] | None, Field(description="See opencode_run")]
MaxCost = Annotated[float | None, Field(gt=0, description="Stop at so many US dollars")]
MaxMinutes = Annotated[float | None, Field(gt=0, description="At so many minutes")]
MaxSteps = Annotated[int | None, Field(ge=1, description="At so many model steps")]
MaxAsForRun = Annotated[float | None, Field(gt=0, description="See opencode_run")]
SessionId = Annotated[str, Field(description="ses_...")]
SessionOrBatch = Annotated[str, Field(description="ses_..., or bat_... of a batch or task")]
run_tool = partial(
    tool, read_only=False, idempotent=False, open_world=True, output_schema=SAME_REPORT, texts=REPORT_TEXTS
)
"""Define a tool that lets OpenCode work, and reports the run; it states only if it can destroy something."""


@run_tool(title="Run a prompt", destructive=True, output_schema=RUN_REPORT)
async def opencode_run(
    ctx: BridgeContext,
    *,
    prompt: Annotated[str, Field(description="The task, with all OpenCode needs to know")],
    session_id: Annotated[str, Field(description="Go on there; else a new session")] = "",
    directory: Annotated[str, Field(description="Allowed; else the first")] = "",
    agent: Annotated[str, Field(description="build (changes files), plan (reads only), or one of the project's")] = "",
    model: Annotated[str, Field(description="provider/model; else the default")] = "",
    variant: Annotated[str, Field(description="Such as high")] = "",
    files: Annotated[list[str], Field(description="Files or folders to attach")] = [],
    output_schema: Annotated[dict[str, Any] | None, Field(description="JSON Schema of the answer")] = None,
    title: Annotated[str, Field(description="Of a new session")] = "",
    isolate: Annotated[bool, Field(description="Work in a git worktree of its own")] = False,
    base: Annotated[str, Field(description="Its commit, or working_tree; else HEAD")] = "",
    verify: Annotated[str, Field(description="Then run: a name of the settings, or a line if allowed")] = "",
    repair: Annotated[int, Field(description="Times to send a failure back")] = 0,
    permissions: Strictness = None,
    max_cost: MaxCost = None,
    max_minutes: MaxMinutes = None,
    max_steps: MaxSteps = None,
    wait_seconds: Seconds = None,
) -> CallResult:
    """Give a task to OpenCode, a coding agent that reads, edits and runs code.

    Delegate work, or go on in a session. It waits, then reports answer, changed files and next call. For a
    quick look at files use opencode_read_file.
    """
    if run := await resumed_run(ctx):
        return await wait_for_run(ctx, run, wait_seconds, started=True)
    bridge = bridge_of(ctx)
    order = run_orders.RunOrder(
        prompt=prompt,
        session_id=session_id,
        directory=directory,
        agent=agent,
        model=model,
        variant=variant,
        files=files,
        output_schema=output_schema,
        title=title,
        isolate=isolate,
        base=base,
        verify=verify,
        repair=repair,
        permissions=permissions,
        max_cost=max_cost,
        max_minutes=max_minutes,
        max_steps=max_steps,
    )
    with before_start():
        if asked := await _permitted_check(ctx, order, wait_seconds):
            return asked
        deadlines = deadlines_of(ctx, wait_seconds)
        async with starting(ctx, deadlines.start, READ_AGAIN, reply_by=deadlines.wait) as start_deadline:
            start = run_orders.StartTerms(starter=starter_of(ctx), deadline=start_deadline, until=deadlines.start)
            run = await run_orders.start_run(bridge, order, start)
    bridge.runs.known.started[run.session_id] = run.message_id
    finish_command.report_to_command(bridge, run)
    note = await command_note.command_note(bridge, prompt, run.directory)
    return await wait_for_run(ctx, run, wait_seconds, note, started=True)


async def _permitted_check(
    ctx: BridgeContext, order: "run_orders.RunOrder", wait_seconds: float | None
) -> InputRequiredResult | None:
    """Check the permission for a command of the caller's that is to verify the run; as ``permit_shell``."""
    bridge = bridge_of(ctx)
    wanted = verify_commands.request_of(bridge.settings, bridge.allowed, order.verify, order.repair)
    if not wanted or wanted.name:
        return None
    async with starting(ctx, start_deadline_of(ctx, wait_seconds), READ_AGAIN):
        _, where = await run_orders.session_and_directory(bridge, order.session_id, order.directory)
    limit = order.permissions or "allow"
    return await shell_permission.permit_shell(ctx, [wanted.line], where, order.session_id, limit)


@tool(
    title="Wait for a run",
    read_only=True,
    destructive=False,
    idempotent=True,
    open_world=False,
    output_schema=SAME_REPORT,
    texts=REPORTS_TEXTS,
)
async def opencode_wait(
    ctx: BridgeContext,
    *,
    session_id: SessionOrBatch = "",
    message_id: Annotated[str, Field(description="msg_... of the prompt; else the latest")] = "",
    session_ids: Annotated[list[str], Field(description="Several sessions")] = [],
    until: Annotated[
        Literal["any", "all"], Field(description="With several: first end or question, or the last")
    ] = "all",
    wait_seconds: SecondsAsForRun = None,
) -> CallResult:
    """Wait for a run that anybody started, and report it as opencode_run does.

    Use it after `running` or a restart. wait_seconds=0 only looks.
    """
    bridge = bridge_of(ctx)
    named = _named_sessions([session_id, *session_ids], message_id)
    deadlines = deadlines_of(ctx, wait_seconds)
    if tasks := batch_wait.named_tasks(named):
        wait = batch_wait.wait_limit(ctx, wait_seconds, tasks)
        table = await batch_wait.wait_for_tasks(bridge, tasks, wait, progress_sender(ctx), until)
        return await _report_of_task(ctx, tasks) or table
    async with starting(ctx, deadlines.start, READ_AGAIN):
        sessions = [await bridge.fence.session(name) for name in named]
        found = await _find_runs(bridge, sessions, message_id)
    for _, run in found:
        bridge.supervision.add(run)
    if len(sessions) > 1:
        reports = await _wait_for_all(ctx, found, deadlines, until)
        return reports_result(reports, until=until, without_run=_without_run(sessions, found))
    session, run = found[0]
    return await wait_for_run(ctx, run, wait_seconds, undone_run(session, run.message_id))


async def _wait_for_all(
    ctx: BridgeContext, found: "Sequence[tuple[Session, Run]]", deadlines: "Deadlines", until: Literal["any", "all"]
) -> "list[RunReport]":
    """Wait for several runs, and return their reports in the same order."""
    bridge = bridge_of(ctx)
    note_wait()
    limit = bridge.waits.deadline(deadlines.wait, deadlines.latest)
    runs = [run for _, run in found]
    reports = await bridge.runs_under_policy.follow_all(runs, limit, progress_sender(ctx), until=until)
    for (session, run), report in zip(found, reports, strict=True):
        add_answerers(bridge, run, report, ctx.client_capabilities)
        report.note = " ".join(filter(None, [undone_run(session, run.message_id), report.note]))
        await isolated_runs.add_place(bridge, run, report)
    return reports


def _without_run(sessions: "Sequence[Session]", found: "Sequence[tuple[Session, Run]]") -> list[str]:
    """Return the ids of the sessions for which no run was found."""
    with_run = {session.id for session, _ in found}
    return [session.id for session in sessions if session.id not in with_run]


async def _report_of_task(ctx: BridgeContext, named: "batch_wait.Named") -> CallToolResult | None:
    """Return the report of the only named task, if it has a run; ``None`` if a table has to do."""
    bridge = bridge_of(ctx)
    task = await batch_wait.only_task(bridge, named)
    if task is None:
        return None
    try:
        run = await bridge.runs.find(await bridge.fence.session(task.session_id), task.message_id)
    except NotFound:
        return None  # Its session was deleted, or has no such prompt.
    report = await bridge.runs_under_policy.report_now(run)
    add_answerers(bridge, run, report, ctx.client_capabilities)
    report.note = " ".join(filter(None, [f"Task {task.id}.", task.note, report.note]))
    await isolated_runs.add_place(bridge, run, report)
    return report_result(report)


async def _find_runs(bridge: "Bridge", sessions: "list[Session]", message_id: str) -> "list[tuple[Session, Run]]":
    """Return the sessions that have a run, each with the run.

    Raises:
        NotFound: No session has one, or not the named one.
    """
    found: list[tuple[Session, Run]] = []
    for session in sessions:
        try:
            found.append((session, await bridge.runs.find(session, message_id)))
        except NoRunYet:
            if session is sessions[-1] and not found:
                raise
    return found


def _named_sessions(session_ids: list[str], message_id: str) -> list[str]:
    """Return the named sessions, each of them once.

    Raises:
        InvalidArgument: None is named, or a prompt is named beside several.
    """
    named = list(dict.fromkeys(name for name in session_ids if name))
    if not named:
        raise InvalidArgument("No session is named.", hint="Give session_id, or session_ids for several.")
    if message_id and len(named) > 1:
        raise InvalidArgument("message_id names one run, but several sessions are named.", hint="Leave it out.")
    return named


@tool(
    title="Stop a run",
    read_only=False,
    destructive=True,
    idempotent=True,
    open_world=False,
    output_schema=SAME_REPORT,
    texts=REPORT_TEXTS,
)
async def opencode_abort(
    ctx: BridgeContext,
    *,
    session_id: SessionOrBatch,
    message_id: Annotated[str, Field(description="Only if it works on this prompt")] = "",
) -> CallToolResult:
    """Stop what a session and its subagents are working on.

    What is done stays, and opencode_run goes on from there.
    """
    bridge = bridge_of(ctx)
    if tasks := batch_wait.named_tasks([session_id]):
        return await batch_wait.stop_tasks(bridge, tasks)
    async with starting(ctx, start_deadline_of(ctx)):
        session = await bridge.fence.session(session_id)
        run = await _find_to_stop(bridge, session)
    if message_id and run.message_id != message_id:
        raise InvalidArgument(
            f"{message_id} is not the prompt that {session_id} works on: {run.message_id} is.",
            hint="Leave message_id out to stop whatever runs.",
        )
    report, stop = await bridge.runs.abort(
        run, verified_elsewhere=await bridge.supervision.stop_verification_elsewhere(run)
    )
    waiting = await _inbox_note(bridge, run)
    report.note = " ".join(filter(None, [_stop_note(stop, report, session.directory), report.note, waiting]))
    await isolated_runs.add_place(bridge, run, report)
    return report_result(report)


async def _find_to_stop(bridge: "Bridge", session: "Session") -> "Run":
    """Return the run that a session works on, or its latest.

    Raises:
        NotFound: The session has none, and does nothing.
        SessionBusy: The session has none, and is busy: a shell line is no run.
    """
    try:
        return await bridge.runs.find_to_stop(session)
    except NoRunYet as error:
        if session.id in await bridge.client.running_sessions(session.directory):
            raise SessionBusy(
                f"{session.id} has no run that could be stopped, but it is running something, perhaps a shell line.",
                hint="That ends by itself.",
            ) from error
        raise NotFound(
            f"Nothing runs in {session.id}; there is nothing to stop.",
            hint=f'opencode_run(session_id="{session.id}", prompt=...) gives it a task.',
        ) from error


async def _inbox_note(bridge: "Bridge", run: "Run") -> str:
    """Return a note on other prompts that a stop has left in the inbox of a session; empty if there are none."""
    try:
        waiting = await bridge.client.pending_prompts(run.session_id)
    except BackendError:
        return ""  # The report of the stop must not fail for it.
    others = [message_id for message_id in waiting if message_id != run.message_id]
    if not others:
        return ""
    verb = "waits" if len(others) == 1 else "wait"
    return (
        f"{quantity(len(others), 'other prompt')} {verb} in the inbox of the session: OpenCode runs what waits there "
        "before the next prompt."
    )


def _stop_note(stop: "StopResult", report: "RunReport", directory: str) -> str:
    """Return a note on what a stop could not stop; empty if it stopped everything."""
    if not stop.was_running:
        return "" if report.status in UNFINISHED_STATUSES else "Nothing was running."
    notes: list[str] = []
    if stop.began_late:
        calls = "; ".join(
            f"{call.describe(directory)} (session {call.session_id})" for call in stop.began_late[:NAMED_IN_NOTE]
        )
        notes.append(f"OpenCode still began this after the request to stop: {calls}.")
    if stop.busy:
        notes.append(f"Still running: {', '.join(stop.busy[:NAMED_IN_NOTE])}. Call opencode_abort again.")
    return " ".join(notes)
