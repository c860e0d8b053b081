"""Slash commands and shell lines in a session, as runs.

OpenCode answers them only when they have ended, except for the commands of OpenCode 2. So the request is left behind in
the background, and the run is followed like any other: a wait that ends, or a bridge that does, stops nothing.

OpenCode 2 chooses the id of a command's prompt, so it is known only when the request is answered. Until then the
session's note holds for every prompt of the session.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

import anyio
from anyio.abc import TaskGroup

from opencode_mcp.errors import (
    BackendFailed,
    BackendTimeout,
    BridgeError,
    InvalidArgument,
    NotFound,
)
from opencode_mcp.events.hub import Hub, Listener
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.transport import READ_TIMEOUT_SECONDS
from opencode_mcp.opencode.vocabulary import backend_events
from opencode_mcp.opencode.vocabulary.submission import CommandSubmission, Receipt, SessionSettings, ShellSubmission
from opencode_mcp.opencode.vocabulary.wire.agents_and_commands import Command
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.opencode.vocabulary.wire.shared_values import Failure
from opencode_mcp.runs.outcome.answer_summary import first_words
from opencode_mcp.runs.prompting.prompt import Prompt, check_prompt
from opencode_mcp.runs.prompting.reload import InstanceReload, Missing
from opencode_mcp.runs.prompting.send_failures import is_reported_failure, may_have_arrived
from opencode_mcp.runs.run_life import Runs
from opencode_mcp.runs.run_note import ANY_PROMPT
from opencode_mcp.runs.run_record import Run
from opencode_mcp.runs.starting.prompt_poster import BEGIN_SILENCE_SECONDS, LEAST_POST_SECONDS, next_message_id
from opencode_mcp.runs.starting.start_deadline import StartDeadline
from opencode_mcp.runs.starting.start_options import StartOptions
from opencode_mcp.text.outside_text import one_line
from opencode_mcp.text.similar_names import similar_names
from opencode_mcp.workspace.configuration.definitions import DefinitionQuery

logger = logging.getLogger(__name__)

LONGEST_RUN_SECONDS = 7 * 86_400.0
"""Time that a run may take before the request left behind is given up; the run itself is not."""
BEGIN_SECONDS = 15.0
LEAST_BEGIN_SECONDS = 2.0
"""Time that what was sent has to begin, at most and however late it is; then its run is reported as it is."""
COMMANDS_SHOWN = 30
TITLE_CHARACTERS = 60
Post = Callable[[], Awaitable[Receipt | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlashCommand:
    """A slash command; empty texts leave the choice to the command, then to OpenCode."""

    name: str
    """Without the slash."""
    arguments: str
    """As a person would write them behind the name."""
    directory: str
    """Absolute path of the project."""
    agent: str = ""
    model: str = ""
    """As ``provider/model``."""

    @property
    def settings(self) -> SessionSettings:
        """Return the settings of a session that is created for this command."""
        return SessionSettings(agent=self.agent, model=self.model)

    def submission(self, message_id: str, *, is_first: bool) -> CommandSubmission:
        """Return what is handed to OpenCode.

        Args:
            message_id: Id that the prompt's message gets, if OpenCode takes one.
            is_first: Whether the session was created for this command, with its settings.
        """
        return CommandSubmission(
            message_id=message_id,
            name=self.name,
            arguments=self.arguments,
            agent=self.agent,
            model=self.model,
            is_first=is_first,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellLine:
    """A shell line of a caller."""

    line: str
    directory: str
    """Absolute path of the project in which a new session is made."""
    agent: str = ""
    """Agent that the session has for the line; empty: ``build``, else the first one."""


class Commands:
    """Starts what OpenCode answers only at its end.

    Args:
        runs: Gives each session one turn at a time.
        hub: Tells when a run has begun.
        task_group: Runs the requests that are left behind.
    """

    def __init__(self, runs: Runs, hub: Hub, task_group: TaskGroup) -> None:
        self._runs = runs
        self._hub = hub
        self._task_group = task_group

    async def start(
        self,
        command: SlashCommand,
        session: Session | None = None,
        options: StartOptions | None = None,
    ) -> Run:
        """Start a slash command (``session.command``).

        Args:
            command: What to do.
            session: The session to do it in; none: a new one.
            options: What it has in common with the start of a prompt.

        Raises:
            NotFound: There is no such command, agent or model; the hint names those that there are.
            SessionBusy: The session has a run already.
            BackendError: OpenCode could not be reached, or refused it.
        """
        options = options or StartOptions()
        client = OpenCodeClient(await self._hub.ensure())
        await check_command(client, command, self._runs.instance_reload)
        has_id = (await client.features()).command_ids
        message_id = await next_message_id(client, session) if has_id else ANY_PROMPT
        words = first_words(f"/{command.name} {command.arguments}")
        note = self._runs.notes.new(message_id, options.caller_limit, options.starter, words, options.limits)
        begun = session or await self._runs.turns.begin_session(client, command.directory, note, command.settings)
        turns, is_new = self._runs.turns, session is None
        async with (
            turns.not_left_empty(client, begun, options.deadline, is_new=is_new),
            turns.turn(begun, is_new=is_new) as client,
        ):
            run = await turns.noted(client, begun, note, options.deadline, is_new=is_new)
            await options.announce(run)
            submission = command.submission(run.message_id, is_first=is_new)
            run = await self._begin_command(client, run, submission, options.deadline)
            if not has_id:
                await turns.note_prompt(client, begun, run)
        if not has_id:
            await options.announce(run)
        return run

    async def shell(
        self, shell: ShellLine, session: Session | None = None, start_deadline: StartDeadline | None = None
    ) -> Run:
        """Start a shell line in a session (``session.shell``); the agent sees what it printed.

        Args:
            shell: The line.
            session: The session to run it in; none: a new one.
            start_deadline: Lifted when the line is sent; none: sending it may take as long as it takes.

        Raises:
            InvalidArgument: The line is empty.
            NotFound: There is no such agent.
            SessionBusy: The session has a run already.
            BackendError: OpenCode could not be reached, or refused it.
        """
        if not shell.line.strip():
            raise InvalidArgument("The command is empty.", hint="Give a line for the shell.")
        start_deadline = start_deadline or StartDeadline()
        client = OpenCodeClient(await self._hub.ensure())
        directory = session.directory if session else shell.directory
        chosen = await _agent_for_shell(client, directory, shell.agent, self._runs.instance_reload)
        begun = session or await client.session_create(directory, title=_title(shell.line))
        turns, is_new = self._runs.turns, session is None
        async with (
            turns.not_left_empty(client, begun, start_deadline, is_new=is_new),
            turns.turn(begun, is_new=is_new) as client,
        ):
            run = Run(begun.directory, begun.id, await next_message_id(client, session))
            submission = ShellSubmission(message_id=run.message_id, line=shell.line, agent=chosen)
            post = partial(client.submit_shell, begun.id, begun.directory, submission, timeout=LONGEST_RUN_SECONDS)
            await start_deadline.commit()
            seconds = start_deadline.remaining(at_least=LEAST_BEGIN_SECONDS, at_most=BEGIN_SECONDS)
            await self._begin(client, run, post, seconds)
        return run

    async def _begin_command(
        self, client: OpenCodeClient, run: Run, submission: CommandSubmission, start_deadline: StartDeadline
    ) -> Run:
        """Send a slash command as ``_begin`` does; one without an id has as much time as a prompt."""
        if run.message_id:
            seconds = start_deadline.remaining(at_least=LEAST_BEGIN_SECONDS, at_most=BEGIN_SECONDS)
        else:
            seconds = start_deadline.remaining(at_least=LEAST_POST_SECONDS, at_most=READ_TIMEOUT_SECONDS)
        send = partial(client.submit_command, timeout=LONGEST_RUN_SECONDS, begin_within=seconds)
        return await self._begin(client, run, partial(send, run.session_id, run.directory, submission), seconds)

    async def _begin(self, client: OpenCodeClient, run: Run, post: Post, seconds: float) -> Run:
        """Send a request; return its run once OpenCode works on it, or has answered: until then the turn is kept.

        Raises:
            BackendError: OpenCode refused it, or the id of its prompt is not known in time.
        """
        self._hub.kept_state(run.session_id).error = None
        sent = _Sent()
        with self._hub.listen(run.session_id) as listener:
            self._task_group.start_soon(self._send, run, post, listener, sent)
            with anyio.move_on_after(seconds):
                await self._see_begin(client, run, listener)
        if sent.failed:
            raise sent.failed
        if sent.accepted:
            self._runs.poster.accepted(sent.accepted)
            return replace(run, message_id=sent.accepted.message_id)
        if not run.message_id:
            raise BackendTimeout(f"OpenCode did not accept the command within {seconds:.0f} s.", hint=_may_run(run))
        return run

    async def _see_begin(self, client: OpenCodeClient, run: Run, listener: Listener) -> None:
        """Wait until OpenCode works on a run, or has answered its request."""
        begin = anyio.current_time()
        while True:
            events = await listener.wait(BEGIN_SILENCE_SECONDS)
            if any(isinstance(event, _Answered) for event in events):
                return
            if not run.message_id:
                continue
            if self._hub.state(run.session_id).has_begun(run.message_id, begin):
                return
            if not events and await _is_at_work(client, run):
                return

    async def _send(self, run: Run, post: Post, listener: Listener, sent: "_Sent") -> None:
        try:
            sent.accepted = await post()
        except BridgeError as error:
            sent.failed = self._failure(run, error)
        finally:
            listener.put(_Answered(run.session_id))

    def _failure(self, run: Run, error: BridgeError) -> BridgeError | None:
        """Return the error for the call that started the run, and keep it for those that follow it.

        ``None``: OpenCode may work on the run, or be done with it, and following it tells.
        """
        logger.info("the request of %s in %s ended: %s", run.message_id, run.session_id, error)
        if may_have_arrived(error) and not is_reported_failure(error):
            if not run.message_id:
                error.hint = _may_run(run)
                return error
            return None
        state = self._hub.kept_state(run.session_id)
        reason = state.error.text if state.error else ""
        state.error = state.error or Failure(data={"message": error.message})
        return BackendFailed(f"OpenCode did not start it: {reason}.", hint=error.hint) if reason else error


@dataclass(slots=True)
class _Sent:
    """Outcome of a request that is left behind."""

    accepted: Receipt | None = None
    """Set when OpenCode has answered; a shell line has no such answer."""
    failed: BridgeError | None = None


class _Answered(backend_events.Event):
    """OpenCode has answered the request that is left behind."""


async def _is_at_work(client: OpenCodeClient, run: Run) -> bool:
    """Return True if OpenCode works in the session of a run, which was idle before; False if this cannot be read."""
    try:
        if run.session_id in await client.session_status(run.directory):
            return True
        return bool(await client.running_shell(run.session_id, run.directory))
    except BridgeError as error:
        logger.info("could not see %s begin: %s", run.message_id, error)
        return False


def _may_run(run: Run) -> str:
    return f'It may run all the same: opencode_session(session_id="{run.session_id}") shows it. Do not send it again.'


async def find_command(client: OpenCodeClient, directory: str, name: str, instance_reload: InstanceReload) -> Command:
    """Return a slash command of a project (``command.list``), by its name without the slash.

    Raises:
        NotFound: There is none of that name; the hint names similar ones.
    """
    return await instance_reload.find(client, directory, partial(_find_command, client, directory, name))


async def _find_command(client: OpenCodeClient, directory: str, name: str) -> Command | Missing:
    commands = await client.commands(directory)
    found = next((command for command in commands if command.name == name), None)
    if found:
        return found
    names = [command.name for command in commands]
    similar = similar_names(name, names)
    meant = f"Did you mean {' or '.join(similar)}? " if similar else ""
    known = ", ".join(names[:COMMANDS_SHOWN]) or "none"
    error = NotFound(f"OpenCode has no command {name!r}.", hint=f"{meant}The commands are {known}.")
    return Missing(DefinitionQuery("command", (name,)), error)


async def check_command(client: OpenCodeClient, command: SlashCommand, instance_reload: InstanceReload) -> None:
    """Refuse what OpenCode would only fail at.

    Raises:
        NotFound: There is no such command, agent or model.
        OperatorError: The model's provider has no credentials.
    """
    await find_command(client, command.directory, command.name, instance_reload)
    prompt = Prompt(text=f"/{command.name}", directory=command.directory, agent=command.agent, model=command.model)
    await check_prompt(client, prompt, instance_reload)


def _title(line: str) -> str:
    """Return the title of a session that is made for a shell line; OpenCode itself gives it none."""
    return f"Shell: {one_line(line, TITLE_CHARACTERS)}"


async def _agent_for_shell(client: OpenCodeClient, directory: str, agent: str, instance_reload: InstanceReload) -> str:
    """Return the agent for a shell line: OpenCode wants one named, though none takes part."""
    if agent:
        await check_prompt(client, Prompt(text="shell", directory=directory, agent=agent), instance_reload)
        return agent
    agents = await client.agents(directory)
    primary = [item.name for item in agents if item.mode != "subagent"]
    return "build" if "build" in primary else next(iter(primary), "build")
