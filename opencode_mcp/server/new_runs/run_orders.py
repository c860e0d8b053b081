"""Orders of runs: the arguments of ``opencode_run``, checked, and started in their directory.

A run that waits in the queue (``server/batches/``) is kept as such an order, and started in the same way.
"""

import json
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, cast

from opencode_mcp.errors import InvalidArgument, NotAllowed
from opencode_mcp.runs.limits import Limits
from opencode_mcp.runs.prompting.prompt import Prompt
from opencode_mcp.runs.starting.start_deadline import StartDeadline
from opencode_mcp.runs.starting.start_options import StartOptions
from opencode_mcp.server.access.execution import verify_commands
from opencode_mcp.server.bridge import Bridge
from opencode_mcp.server.changes.unseen_changes import worktree_of
from opencode_mcp.server.new_runs import start_limits
from opencode_mcp.server.new_runs.isolated_runs import Isolation, place_of
from opencode_mcp.settings import settings_file_text
from opencode_mcp.workspace.attachments import attachment

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.submission import Attachment
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.options import Decider
    from opencode_mcp.runs.run_record import Run, RunStarter
    from opencode_mcp.settings import Settings

WORKS_ELSEWHERE = (
    "For a few files there, call opencode_run with an allowed directory, and name them in the prompt. OpenCode asks "
    "for its permission external_directory before it reads or edits them, though not before every shell command; "
    "opencode_reply_permission answers."
)
UNASKED = (
    'set external_directory = "allow" under [{table}] in {file}{restart}, so that every run may use every file of '
    "every folder without a question"
)
RISK_OF_UNASKED = "A run that a text misleads could read or change any file of the user."


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrder:
    """Arguments of ``opencode_run`` that decide what a run does; empty ones leave the choice to the settings."""

    prompt: str
    session_id: str = ""
    directory: str = ""
    agent: str = ""
    model: str = ""
    variant: str = ""
    files: list[str] = field(default_factory=list[str])
    output_schema: Mapping[str, Any] | None = None
    title: str = ""
    isolate: bool = False
    base: str = ""
    verify: str = ""
    repair: int = 0
    permissions: "Decider | None" = None
    max_cost: float | None = None
    max_minutes: float | None = None
    max_steps: int | None = None

    @classmethod
    def read(cls, text: str) -> "RunOrder":
        """Return an order that was stored as JSON; what another version of the bridge has added is left out."""
        stored = cast("dict[str, Any]", json.loads(text))
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in stored.items() if name in known})

    @property
    def limits(self) -> Limits:
        """Return the limits that the caller wants."""
        return Limits(self.max_cost, self.max_minutes, self.max_steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTerms:
    """Circumstances of the start of a run."""

    starter: "RunStarter" = "agent"
    deadline: "StartDeadline | None" = None
    """Lifted when the prompt is sent."""
    until: float = math.inf
    """Deadline for the preparation of a worktree, in seconds of anyio's clock."""
    place_name: str = ""
    """Text that the names of the worktree begin with; empty: the title."""
    message_id: str = ""
    """Id for the prompt's message; empty: a new one is made."""
    admit: "Callable[[Run], Awaitable[None]] | None" = None
    """Gets the run immediately before its prompt is sent; raises an error to keep it from being sent."""


async def start_run(bridge: Bridge, order: RunOrder, start: StartTerms) -> "Run":
    """Check an order and start its run (``session.create``, ``session.prompt_async``).

    Raises:
        CallerError: An argument is wrong, or names what is not allowed or does not exist, or a limit is used up.
            Nothing was started.
        OperatorError: The settings cannot be met. Nothing was started.
        BackendError: OpenCode could not be reached. Nothing was started.
    """
    held = bridge.supervision.limits_for(order.limits)
    verified = verify_commands.request_of(bridge.settings, bridge.allowed, order.verify, order.repair)

    isolation = Isolation(order.isolate, order.base, start.place_name or order.title, start.until)
    isolation.check(bridge, order.session_id)
    session, project = await session_and_directory(bridge, order.session_id, order.directory)
    _check_title(session, order.title)
    async with start_limits.place(bridge) as starting, place_of(bridge, project, isolation) as place:

        def before_send(run: "Run") -> "Awaitable[None] | None":
            starting.name_session(run.session_id)
            bridge.supervision.add_new(run)
            return start.admit(run) if start.admit else None

        prompt = await prompt_of(bridge, order, place.directory, start.message_id)
        chosen = {"agent": prompt.agent, "model": prompt.model, "variant": prompt.variant}
        return await bridge.runs.start(
            prompt,
            session,
            StartOptions(
                caller_limit=order.permissions or "allow",
                starter=start.starter,
                limits=held,
                before_send=place.note_run(before_send),
                deadline=start.deadline or StartDeadline(),
            ),
            verify=replace(verified, **chosen) if verified else None,
        )


async def prompt_of(bridge: Bridge, order: RunOrder, directory: str, message_id: str = "") -> Prompt:
    """Return the prompt of an order, with the files that it names and with the choices of the settings."""
    settings = bridge.settings
    return Prompt(
        text=order.prompt,
        directory=directory,
        agent=order.agent or settings.agent,
        model=order.model or settings.model,
        variant=order.variant,
        files=[await _attached(bridge, directory, name) for name in order.files],
        output_schema=order.output_schema,
        title=order.title,
        message_id=message_id,
    )


async def _attached(bridge: Bridge, directory: str, name: str) -> "Attachment":
    return await attachment(bridge.files, directory, await bridge.fence.existing_file(directory, name))


def _check_title(session: "Session | None", title: str) -> None:
    """Refuse a title for a session that exists.

    Raises:
        InvalidArgument: It is another one than that of the session.
    """
    if session and title.strip() and title.strip() != session.title:
        raise InvalidArgument(
            f"{session.id} exists, and title is for a new session.",
            hint="Leave title out. opencode_update_session renames a session.",
        )


def _unasked(settings: "Settings") -> str:
    """Return how a person lets runs use other folders without a question."""
    principal = settings.principal
    table = f"principals.{principal}.permission_rules" if principal else "permission_rules"
    # Changes of principals need no restart.
    restart = "" if principal else ", and restart this MCP server"
    return UNASKED.format(table=table, file=settings_file_text(settings), restart=restart)


async def session_and_directory(bridge: Bridge, session_id: str, directory: str) -> "tuple[Session | None, str]":
    """Return the session to continue, if one is named, and the directory to work in.

    Raises:
        InvalidArgument: The session works in another directory than the named one.
        NotAllowed: The directory is not allowed.
        NotFound: Its directory does not exist any more, or its isolated worktree was removed or replaced.
    """
    if not session_id:
        try:
            return None, await bridge.fence.directory(directory)
        except NotAllowed as error:
            error.hint = f"{error.hint} {WORKS_ELSEWHERE}".strip()
            error.by_person, error.risk_by_person = _unasked(bridge.settings), RISK_OF_UNASKED
            raise
    session = await bridge.fence.session(session_id)
    if worktree := worktree_of(bridge, session.directory):
        await bridge.integrator.check_whole(worktree)
    else:
        await bridge.fence.check_files_exist(session.directory)
    if directory and await bridge.fence.directory(directory) != session.directory:
        raise InvalidArgument(
            f"The session works in {session.directory}, not in {directory}.",
            hint="Leave directory out, or leave session_id out.",
        )
    return session, session.directory
