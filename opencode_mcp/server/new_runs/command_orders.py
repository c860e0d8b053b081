"""Orders of slash commands: the arguments of ``opencode_command``, checked, and started in their directory."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opencode_mcp.errors import InvalidArgument, NotFound
from opencode_mcp.isolation.recorded_worktrees import WORKING_TREE
from opencode_mcp.runs.commands import SlashCommand
from opencode_mcp.runs.limits import Limits
from opencode_mcp.runs.starting.start_deadline import StartDeadline
from opencode_mcp.runs.starting.start_options import StartOptions
from opencode_mcp.server.access.execution.shell_lines import quoted
from opencode_mcp.server.new_runs import run_orders, start_limits
from opencode_mcp.server.new_runs.isolated_runs import Isolation, place_of

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.options import Decider
    from opencode_mcp.runs.run_record import Run
    from opencode_mcp.server.access.execution.command_texts import CommandLines
    from opencode_mcp.server.bridge import Bridge

OTHER_BASE = f'Commit its file, or give base="{WORKING_TREE}", which takes uncommitted files. Nothing is left.'


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandOrder:
    """Arguments of ``opencode_command`` that decide what a run does; empty ones leave the choice to the settings."""

    name: str
    """Name of the command, without the slash."""
    arguments: str
    session_id: str
    directory: str
    agent: str
    model: str
    isolate: bool
    base: str
    caller_limit: "Decider"
    limits: Limits
    """The limits that the caller wants."""


@dataclass(frozen=True, slots=True)
class CheckedCommand:
    """Session, directory and shell lines of an order that was checked."""

    session: "Session | None"
    """The session to go on in; none: a new one."""
    project: str
    """Absolute path of the directory of the session; of the project, if the run is to be isolated."""
    lines: "CommandLines"
    """Shell lines that its text runs."""


async def check_order(bridge: "Bridge", order: CommandOrder) -> CheckedCommand:
    """Check an order: the directory, the session, the command and the files that its text would attach.

    Raises:
        CallerError: An argument is wrong, or names what is not allowed or does not exist, or a limit is used up.
        BackendError: OpenCode could not be reached.
    """
    bridge.supervision.limits_for(order.limits)
    Isolation(order.isolate, order.base, order.name, 0.0).check(bridge, order.session_id)
    session, project = await run_orders.session_and_directory(bridge, order.session_id, order.directory)
    # OpenCode attaches files and runs shell lines of the command's text without permission.
    lines = await bridge.argument_checker.commands.check(order.name, order.arguments, project)
    return CheckedCommand(session, project, lines)


async def start_command(
    bridge: "Bridge", order: CommandOrder, checked: CheckedCommand, start: run_orders.StartTerms
) -> "Run":
    """Start the run of a checked order whose shell lines are permitted (``session.create``, ``session.command``).

    Raises:
        CallerError: An argument is wrong, or a limit is used up. Nothing was started.
        OperatorError: The settings cannot be met. Nothing was started.
        BackendError: OpenCode could not be reached, or refused the command.
    """
    held = bridge.supervision.limits_for(order.limits)
    isolation = Isolation(order.isolate, order.base, order.name, start.until)
    async with start_limits.place(bridge) as starting, place_of(bridge, checked.project, isolation) as place:
        if order.isolate:
            await _check_in_worktree(bridge, order, checked.lines, place.directory)

        def before_send(run: "Run") -> None:
            starting.name_session(run.session_id)
            bridge.supervision.add_new(run)

        command = SlashCommand(
            name=order.name,
            arguments=order.arguments,
            directory=place.directory,
            agent=order.agent or bridge.settings.agent,
            model=order.model or bridge.settings.model,
        )
        return await bridge.commands.start(
            command,
            checked.session,
            StartOptions(
                caller_limit=order.caller_limit,
                starter=start.starter,
                limits=held,
                before_send=place.note_run(before_send),
                deadline=start.deadline or StartDeadline(),
            ),
        )


async def _check_in_worktree(bridge: "Bridge", order: CommandOrder, permitted: "CommandLines", directory: str) -> None:
    """Check the command again in the worktree, where its text is that of the base.

    Raises:
        NotFound: The base does not have the command.
        InvalidArgument: The text of the base runs shell lines that were not permitted.
        NotAllowed: A mentioned file is outside.
    """
    try:
        there = await bridge.argument_checker.commands.check(order.name, order.arguments, directory)
    except NotFound as error:
        error.message = (
            f"The project has the command {order.name!r}, but the commit that the worktree would begin with does not."
        )
        error.hint = OTHER_BASE
        raise
    others = [line for line in there.all if line not in permitted.all]
    if others:
        raise InvalidArgument(
            f"The command {order.name!r} runs other shell lines in the commit that the worktree would begin with: "
            f"{quoted(others)}.",
            hint=OTHER_BASE,
        )
