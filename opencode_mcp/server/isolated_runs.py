"""Isolated worktrees around the start of a run, and what its reports say of them."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import BridgeError, InvalidArgument, NotFound
from opencode_mcp.isolation import preparation

if TYPE_CHECKING:
    from opencode_mcp.isolation.worktrees import Worktree
    from opencode_mcp.runs.record import Run
    from opencode_mcp.server.bridge import Bridge


@dataclass(frozen=True, slots=True)
class Isolation:
    """Wish of a caller for a worktree of the run's own.

    Args:
        isolate: Whether one is wanted.
        base: The branch, commit or working tree that it begins with; empty: ``HEAD``.
    """

    isolate: bool
    base: str

    def check(self, bridge: "Bridge", session_id: str) -> None:
        """Refuse a wish that cannot be met.

        Raises:
            InvalidArgument: As its text says.
        """
        if self.base and not self.isolate:
            raise InvalidArgument("base is given without isolate.", hint="Add isolate=true, or leave base out.")
        if self.isolate and session_id:
            raise InvalidArgument(
                f"{session_id} exists already, and a session stays in its directory.",
                hint="Leave isolate out to go on there, or leave session_id out for a new session.",
            )
        if self.isolate and bridge.settings.remote:
            raise InvalidArgument(
                "OpenCode runs on another machine, where this MCP server can make no worktree.",
                hint="Run without isolate.",
            )


class Place:
    """Directory that a run will work in, from the wish for it to the sent prompt."""

    def __init__(self, directory: str, worktree: "Worktree | None" = None) -> None:
        self.directory = directory
        self.worktree = worktree
        self.session_id = ""
        """Session of the run; empty until the prompt is about to be sent."""

    def note_run(self, add: "Callable[[Run], None]") -> "Callable[[Run], None]":
        """Return a function that notes the run's session, and passes the run on."""

        def note(run: "Run") -> None:
            self.session_id = run.session_id
            add(run)

        return note


@asynccontextmanager
async def place_of(bridge: "Bridge", project: str, wish: Isolation, title: str) -> AsyncGenerator[Place]:
    """Give a run its directory: a project, or a new worktree of it, which is removed if the run is not started.

    A cancelled start may have sent the prompt, so the worktree then stays.

    Args:
        bridge: The bridge.
        project: Absolute path of the project.
        wish: The caller's wish.
        title: Text that the names of the worktree begin with.

    Raises:
        InvalidArgument: The project or the base cannot be used.
        InvalidSetting: The operator's preparation of the worktree failed.
        GitFailed: Git could not make the worktree.
    """
    if not wish.isolate:
        yield Place(project)
        return
    worktree = await bridge.worktrees.create(project, base=wish.base or "HEAD", title=title)
    place = Place(worktree.directory, worktree)
    try:
        await preparation.prepare(worktree, bridge.settings.isolation, bridge.settings.environment)
        yield place
    except BridgeError:
        await _remove(bridge, worktree)
        raise
    except BaseException:
        if not place.session_id:
            await _remove(bridge, worktree)
        raise
    await bridge.worktrees.assign(worktree, place.session_id)


async def _remove(bridge: "Bridge", worktree: "Worktree") -> None:
    with anyio.CancelScope(shield=True):
        await bridge.worktrees.remove(worktree, keep_branch=False)


async def isolation_note(bridge: "Bridge", run: "Run") -> str:
    """Return a sentence for the report of a run in an isolated worktree; empty for any other run."""
    if bridge.settings.remote:
        return ""
    try:
        worktree = await bridge.worktrees.find(run.directory)
    except NotFound:
        return ""
    return (
        f"It works in a git worktree of its own, on the branch {worktree.branch}; {worktree.project} is unchanged. "
        f'opencode_integrate(session_id="{run.session_id}", how="apply") brings the changes back when it has ended.'
    )
