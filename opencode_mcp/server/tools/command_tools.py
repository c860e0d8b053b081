"""Tools that run slash commands and shell lines."""

from typing import TYPE_CHECKING, Annotated

from mcp_types import CallToolResult, InputRequiredResult
from pydantic import Field

from opencode_mcp.errors import BridgeError
from opencode_mcp.markdown import excerpt
from opencode_mcp.opencode.vocabulary.wire import parts
from opencode_mcp.runs import commands, limits, run_record
from opencode_mcp.server.access.operations_of_tools import SHELL as SHELL_OPERATION
from opencode_mcp.server.bridge import Bridge, BridgeContext, bridge_of
from opencode_mcp.server.definition.tool import tool
from opencode_mcp.server.finish import finish_command
from opencode_mcp.server.new_runs import command_orders, run_orders
from opencode_mcp.server.open_calls import note_wait
from opencode_mcp.server.resources.links import message_link
from opencode_mcp.server.results.render import TEXT_CHARACTERS, result, without_tools
from opencode_mcp.server.results.schemas import SHELL, SHELL_TEXTS
from opencode_mcp.server.tools.run_tools import (
    MaxAsForRun,
    SecondsAsForRun,
    StrictnessAsForRun,
    run_tool,
)
from opencode_mcp.server.waiting import shell_permission
from opencode_mcp.server.waiting.answerers import starter_of
from opencode_mcp.server.waiting.call_deadlines import (
    READ_AGAIN,
    before_start,
    deadlines_of,
    start_deadline_of,
    starting,
)
from opencode_mcp.server.waiting.progress_notifications import progress_sender
from opencode_mcp.server.waiting.wait import CallResult, following_failed, resumed_run, wait_for_run
from opencode_mcp.text.outside_text import clean, indented

if TYPE_CHECKING:
    from opencode_mcp.runs.outcome.run_report import RunReport
    from opencode_mcp.runs.run_record import Run

NO_EXIT_CODE = "OpenCode does not return the exit code; `; echo $?` at the end of the command prints it."


@run_tool(title="Run a slash command", destructive=True)
async def opencode_command(
    ctx: BridgeContext,
    *,
    command: Annotated[str, Field(description="opencode_status(show=commands) lists them")],
    arguments: Annotated[str, Field(description="Text after the name")] = "",
    session_id: Annotated[str, Field(description="Else a new session")] = "",
    directory: Annotated[str, Field(description="Allowed; else the first")] = "",
    agent: Annotated[str, Field(description="If the command names none")] = "",
    model: Annotated[str, Field(description="provider/model")] = "",
    isolate: Annotated[bool, Field(description="See opencode_run")] = False,
    base: Annotated[str, Field(description="See opencode_run")] = "",
    permissions: StrictnessAsForRun = None,
    max_cost: MaxAsForRun = None,
    max_minutes: MaxAsForRun = None,
    max_steps: Annotated[int | None, Field(ge=1, description="See opencode_run")] = None,
    wait_seconds: SecondsAsForRun = None,
) -> CallResult:
    """Run one of the project's slash commands, such as review, and report as opencode_run does."""
    if run := await resumed_run(ctx):
        return await wait_for_run(ctx, run, wait_seconds, started=True)
    bridge = bridge_of(ctx)
    order = command_orders.CommandOrder(
        name=command.strip().removeprefix("/"),
        arguments=arguments,
        session_id=session_id,
        directory=directory,
        agent=agent,
        model=model,
        isolate=isolate,
        base=base,
        caller_limit=permissions or "allow",
        limits=limits.Limits(max_cost, max_minutes, max_steps),
    )
    with before_start():
        async with starting(ctx, start_deadline_of(ctx, wait_seconds), READ_AGAIN):
            checked = await command_orders.check_order(bridge, order)
        if asked := await _permitted(ctx, order, checked):
            return asked
        deadlines = deadlines_of(ctx, wait_seconds)
        async with starting(ctx, deadlines.start, READ_AGAIN) as start_deadline:
            start = run_orders.StartTerms(starter=starter_of(ctx), deadline=start_deadline, until=deadlines.start)
            run = await command_orders.start_command(bridge, order, checked, start)
    bridge.runs.known.started[run.session_id] = run.message_id
    finish_command.report_to_command(bridge, run)
    return await wait_for_run(ctx, run, wait_seconds, started=True)


async def _permitted(
    ctx: BridgeContext, order: "command_orders.CommandOrder", checked: "command_orders.CheckedCommand"
) -> InputRequiredResult | None:
    """Check the permission for the shell lines of a command; return and raise as ``permit_shell``."""
    lines = checked.lines
    if lines.of_caller:
        bridge_of(ctx).allowed.check_caller_code(SHELL_OPERATION, lines.reason)
    if not lines.all:
        return None
    return await shell_permission.permit_shell(ctx, lines.all, checked.project, order.session_id, order.caller_limit)


@tool(
    title="Run a shell line",
    read_only=False,
    destructive=True,
    idempotent=False,
    open_world=True,
    output_schema=SHELL,
    texts=SHELL_TEXTS,
)
async def opencode_shell(
    ctx: BridgeContext,
    *,
    command: Annotated[str, Field(description="Line for the shell, run in the session's directory")],
    session_id: Annotated[str, Field(description="Session whose agent sees the output; default a new one")] = "",
    directory: Annotated[str, Field(description="Allowed; else the first")] = "",
    agent: Annotated[str, Field(description="Agent that the session has for the line; default build")] = "",
    wait_seconds: SecondsAsForRun = None,
) -> CallResult:
    """Run a shell line on OpenCode's machine and return what it prints, without the exit code.

    Use it only when you need the raw output of a command; to change code, use opencode_run. The permission rules of
    this MCP server for `bash` apply: a person may be asked, or the line be refused.
    """
    bridge = bridge_of(ctx)
    async with starting(ctx, start_deadline_of(ctx)):
        session, where = await run_orders.session_and_directory(bridge, session_id, directory)
    # The list of tools may be older than the settings.
    bridge.allowed.check_caller_code(SHELL_OPERATION)
    if command.strip() and (asked := await shell_permission.permit_shell(ctx, [command], where, session_id)):
        return asked
    deadlines = deadlines_of(ctx, wait_seconds)
    async with starting(ctx, deadlines.start) as start_deadline:
        line = commands.ShellLine(line=command, directory=where, agent=agent)
        run = await bridge.commands.shell(line, session, start_deadline)
    note_wait()
    try:
        seen = await bridge.runs.observe(
            run, bridge.waits.deadline(deadlines.wait, deadlines.latest), progress_sender(ctx)
        )
        report = await bridge.runs.report(run, seen)
        answer, output = await _printed(bridge, run)
    except BridgeError as error:
        error.hint = f"The line was sent as the message {run.message_id}. {_next(run)}"
        raise
    except Exception as error:
        raise following_failed(run) from error
    return _shell_result(bridge, run, report, answer, output)


def _shell_result(bridge: Bridge, run: "Run", report: "RunReport", answer: str, output: str) -> CallToolResult:

    shown = clean(excerpt.tail(output, TEXT_CHARACTERS))
    whole = len(output) <= TEXT_CHARACTERS
    notes = [
        "" if whole else f"These are the last {len(shown):,} of {len(output):,} characters.",
        indented(report.error),
        without_tools(_next(run), bridge.unlisted_tools) if report.status == "running" else NO_EXIT_CODE,
    ]
    note = " ".join(filter(None, notes))
    data = {"status": report.status, "session_id": run.session_id, "message_id": run.message_id}
    text = f"{excerpt.fence(shown) if shown else 'It printed nothing.'}\n{note}"
    link = None if whole else message_link(run.session_id, answer)
    return result(text, data | {"output": shown, "note": note}, link)


async def _printed(bridge: Bridge, run: "Run") -> tuple[str, str]:
    """Return the id of the message with the shell's output, and the output so far."""
    for message in await run_record.all_answers(bridge.client, run):
        for part in message.parts:
            if isinstance(part, parts.ToolPart):
                return message.info.id, part.state.output or str(part.state.metadata.get("output") or "")
    return "", ""


def _next(run: "Run") -> str:
    return (
        f'It continues by itself. opencode_session(session_id="{run.session_id}") shows what it prints. '
        f'opencode_abort(session_id="{run.session_id}") stops it.'
    )
