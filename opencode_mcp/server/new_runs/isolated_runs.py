"""Isolated worktrees around the start of a run, and what its reports say of them."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import anyio

from opencode_mcp.errors import BridgeError, InvalidArgument, NotAllowed
from opencode_mcp.isolation import preparation
from opencode_mcp.isolation.recorded_worktrees import HEAD
from opencode_mcp.runs.prompting.send_failures import is_reported_failure, may_have_arrived
from opencode_mcp.server.access.operations_of_tools import INTEGRATE
from opencode_mcp.server.changes.isolated_changes_note import bringing_text, integrate_call, place_text
from opencode_mcp.server.changes.unseen_changes import lost_note, unseen_note, worktree_of
from opencode_mcp.server.results.render import without_tools
from opencode_mcp.server.results.run_reports.run_steps import next_step
from opencode_mcp.server.results.worktree_base_text import base_note
from opencode_mcp.server.sessions.session_deletion import worktree_note

if TYPE_CHECKING:
    from opencode_mcp.isolation.worktree_records import Worktree
    from opencode_mcp.runs.outcome.run_report import RunReport
    from opencode_mcp.runs.run_record import Run
    from opencode_mcp.server.bridge import Bridge

logger = logging.getLogger(__name__)

Noted = TypeVar("Noted")
ENDED = frozenset({"completed", "failed", "aborted"})
"""Statuses of runs that have ended."""
UNSEEN_SECONDS = 5.0
"""Time for a comparison of the worktree with its base, which a report can do without."""
START_SECONDS = 5.0
"""Seconds that the preparation of a worktree leaves for the start of the run."""


@dataclass(frozen=True, slots=True)
class Isolation:
    """Request of a caller for a worktree of the run's own.

    Args:
        isolate: Whether one is wanted.
        base: The branch, commit or working tree that it begins with; empty: ``HEAD``.
        title: Text that the names of the worktree begin with. The prompt does not, since it may contain secrets.
        start: Deadline for the start of the run, in seconds of anyio's clock.
    """

    isolate: bool
    base: str
    title: str
    start: float

    @property
    def chosen_base(self) -> str:
        """Return the base; the default if the caller gave none."""
        return self.base or HEAD

    def check(self, bridge: "Bridge", session_id: str) -> None:
        """Refuse what cannot be done.

        Raises:
            InvalidArgument: As its text says.
            NotAllowed: The work could not be brought back, since the tool for that is not listed.
        """
        if self.base and not self.isolate:
            raise InvalidArgument("base is given without isolate.", hint="Add isolate=true, or leave base out.")
        if self.isolate and session_id:
            raise InvalidArgument(
                f"{session_id} exists already, and a session stays in its directory.",
                hint="Leave isolate out to go on there, or leave session_id out for a new session.",
            )
        if self.isolate and INTEGRATE in bridge.unlisted_tools:
            raise NotAllowed(
                f"No run can be isolated here: this MCP server does not list {INTEGRATE}, which brings the work back.",
                hint="Run without isolate.",
            )


class Place:
    """Directory that a run will work in, from the request for it until the prompt is sent."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.session_id = ""
        """Session of the run; empty until the prompt is about to be sent."""

    def note_run(self, add: "Callable[[Run], Noted]") -> "Callable[[Run], Noted]":
        """Return a function that notes the run's session, and passes the run on."""

        def note(run: "Run") -> Noted:
            self.session_id = run.session_id
            return add(run)

        return note


@asynccontextmanager
async def place_of(bridge: "Bridge", project: str, isolation: Isolation) -> AsyncGenerator[Place]:
    """Give a run its directory: a project, or a new worktree of it, which is removed if the run is not started.

    A start that was cancelled, or whose response was lost, may have sent the prompt, so the worktree then stays.

    Raises:
        InvalidArgument: The project or the base cannot be used.
        InvalidSetting: The operator's preparation of the worktree failed.
        GitFailed: Git could not make the worktree.
    """
    if not isolation.isolate:
        yield Place(project)
        return
    worktree = await bridge.worktrees.create(project, base=isolation.chosen_base, title=isolation.title)
    place = Place(worktree.directory)
    try:
        await _prepare(bridge, worktree, isolation)
        yield place
    except BridgeError as error:
        may_run = place.session_id and may_have_arrived(error) and not is_reported_failure(error)
        await (_leave(bridge, worktree, place) if may_run else _remove(bridge, worktree))
        raise
    except BaseException:
        await _leave(bridge, worktree, place)
        raise
    try:
        await bridge.worktrees.assign(worktree, place.session_id)
    except BridgeError as error:
        # The prompt was sent. The worktree is also found by the directory of its session.
        logger.warning("the record of the worktree %s has no session: %s", worktree.name, error)


async def _prepare(bridge: "Bridge", worktree: "Worktree", isolation: Isolation) -> None:
    """Prepare a worktree as the operator set it, unless it is on another machine."""
    if bridge.settings.remote:
        return
    within = max(isolation.start - anyio.current_time() - START_SECONDS, 1.0)
    await preparation.prepare(
        bridge.local_worktrees, worktree, bridge.settings.isolation, bridge.settings.environment, within
    )


async def _leave(bridge: "Bridge", worktree: "Worktree", place: Place) -> None:
    """End a start whose end is not known: the prompt may have been sent if there is a session."""
    if not place.session_id:
        await _remove(bridge, worktree)
        return
    with anyio.CancelScope(shield=True):
        await bridge.worktrees.assign(worktree, place.session_id)


async def _remove(bridge: "Bridge", worktree: "Worktree") -> None:
    with anyio.CancelScope(shield=True):
        await bridge.worktrees.remove(worktree)


async def add_place(bridge: "Bridge", run: "Run", report: "RunReport") -> None:
    """Add to the report of a run that its directory is gone, or how to bring its changes back from its worktree."""
    report.place_gone = bridge.fence.is_gone(run.directory)
    gone = f"Its directory {run.directory} does not exist any more." if report.place_gone else ""
    report.note = " ".join(filter(None, [report.note, gone, await isolation_note(bridge, run, report)]))


async def isolation_note(bridge: "Bridge", run: "Run", report: "RunReport") -> str:
    """Return sentences for the report of a run in an isolated worktree: its base and its changes; empty for others."""
    worktree = worktree_of(bridge, run.directory)
    if worktree is None:
        return ""
    notes = [base_note("The worktree of this run", worktree.uncommitted, is_remote=worktree.is_remote)]
    notes.append(_setup_note(bridge, worktree))
    if report.status in ENDED:
        notes.append(await _changes_note(bridge, worktree, run, report))
    return without_tools(" ".join(filter(None, notes)), bridge.unlisted_tools)


def _setup_note(bridge: "Bridge", worktree: "Worktree") -> str:
    """Return a sentence on the preparation that a worktree on another machine did not get; empty if there is none."""
    setup = bridge.settings.isolation
    if not worktree.is_remote or not (setup.copy or setup.command):
        return ""
    return "The setup of the settings for isolated runs did not run: it works on the machine of this MCP server only."


async def _changes_note(bridge: "Bridge", worktree: "Worktree", run: "Run", report: "RunReport") -> str:
    """Return sentences on what a run that has ended changed in its worktree."""
    if report.session_deleted:
        return await worktree_note(bridge, run.directory)
    if lost := await lost_note(bridge, worktree):
        report.place_gone = True
        return lost
    unseen = ""
    with anyio.move_on_after(UNSEEN_SECONDS):
        unseen = await unseen_note(bridge, worktree, {file.path for file in report.files})
    if not report.files and not unseen:
        discard = f'opencode_integrate(session_id="{run.session_id}", how="discard")'
        return f"It changed no file in its {worktree.described}. {discard} removes that."
    report.isolated, report.remote = not worktree.removed, worktree.is_remote
    report.brought = await bridge.worktrees.is_brought(worktree)
    is_named = integrate_call(worktree, run.session_id) in next_step(report)
    brings = "" if is_named else bringing_text(worktree, run.session_id, is_brought=report.brought)
    where = place_text(worktree, is_brought=report.brought)
    return " ".join(filter(None, [where, brings, unseen]))
