"""Tool that brings the changes of an isolated run back."""

from typing import TYPE_CHECKING, Annotated

from mcp_types import CallToolResult
from pydantic import Field

from opencode_mcp.errors import InvalidArgument, SessionBusy
from opencode_mcp.isolation import integration
from opencode_mcp.isolation.ways import How
from opencode_mcp.server.bridge import BridgeContext, bridge_of
from opencode_mcp.server.results.render import result
from opencode_mcp.server.tool import tool
from opencode_mcp.server.tools.run_tools import SessionId
from opencode_mcp.server.waiting.deadlines import deadlines_of, starting
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from opencode_mcp.isolation.integration import Integration
    from opencode_mcp.isolation.trees import TreeChange
    from opencode_mcp.isolation.worktrees import Worktree

MOST_FILES = 100
KINDS = {"A": "added", "D": "deleted", "M": "changed", "R": "renamed", "T": "type changed"}
DONE = {
    "apply": "The changes of {branch} are in the files of {project}; nothing is staged or committed.",
    "commit": "The changes of {branch} are one commit on the checked-out branch of {project}.",
    "merge": "{branch} is merged into the checked-out branch of {project}.",
    "branch": "The work is committed on {branch}, and its worktree is removed.",
    "discard": "The worktree and the branch {branch} are removed.",
    "undo": "The applied changes of {branch} are taken back from {project}.",
}
NOT_IN_PROJECT = {"branch": "Its files, none of which is in the checkout:", "discard": "Dropped with them:"}
"""Headings of the changed files where the checkout does not get them."""


@tool(
    title="Bring isolated work back",
    read_only=False,
    destructive=True,
    idempotent=False,
    open_world=False,
)
async def opencode_integrate(
    ctx: BridgeContext,
    *,
    session_id: SessionId,
    how: Annotated[
        How,
        Field(
            description="apply: change the files only; commit: make one commit; merge: merge the branch; branch: keep "
            "only the branch; discard: drop it; undo: take an apply back"
        ),
    ],
    message: Annotated[str, Field(description="Of the commit; default: the session's title")] = "",
    markers: Annotated[bool, Field(description="Write conflict markers; default: change nothing then")] = False,
) -> CallToolResult:
    """Bring the work of a run with isolate=true into the user's checkout, or drop it.

    Look at it with opencode_diff first. The result names files, conflicts, and how to undo it.
    """
    if markers and how not in {"apply", "undo"}:
        raise InvalidArgument("markers=true needs how=apply.", hint="Resolve the conflicts in the files after it.")
    bridge = bridge_of(ctx)
    async with starting(ctx, deadlines_of(ctx).start):
        session = await bridge.fence.session(session_id)
        worktree = await bridge.worktrees.find(session.directory)
        if session.id in await bridge.client.session_status(session.directory):
            raise SessionBusy(
                f"The session {session.id} is at work.", hint="Wait for it with opencode_wait. opencode_abort stops it."
            )
    options = integration.IntegrationOptions(message or session.title or worktree.name, markers=markers)
    done = await bridge.integrator.integrate(worktree, how, options)
    return _result(how, worktree, done)


def _result(how: How, worktree: "Worktree", done: "Integration") -> CallToolResult:
    lines = [_headline(how, worktree, done)]
    lines += [NOT_IN_PROJECT[how]] if how in NOT_IN_PROJECT and done.changed else []
    lines += [f"- conflict: {one_line(path)}" for path in done.conflicts[:MOST_FILES]]
    lines += [f"- {_described(change)}" for change in done.changed[:MOST_FILES]]
    left = len(done.changed) - MOST_FILES
    lines += [f"- and {left} more files"] if left > 0 else []
    lines += [f"To undo it: {done.undo}"] if done.undo else []
    files = [{"path": change.path, "change": KINDS.get(change.status, change.status)} for change in done.changed]
    data = {
        "how": how,
        "integrated": not done.conflicts or bool(done.changed),
        "files": files[:MOST_FILES],
        "conflicts": done.conflicts[:MOST_FILES],
        "commit": done.commit,
        "undo": done.undo,
    }
    return result("\n".join(lines), data)


def _headline(how: How, worktree: "Worktree", done: "Integration") -> str:
    if done.conflicts and not done.changed:
        return (
            f"Nothing was changed: these files were changed differently in {worktree.project} and on "
            f"{worktree.branch}. Have OpenCode adapt the work in the same session, or use how=apply with markers=true."
        )
    if not done.changed and how in {"apply", "commit", "merge", "undo"}:
        return f"{worktree.branch} has no changes that are not in {worktree.project} already."
    told = DONE[how].format(branch=worktree.branch, project=worktree.project)
    return f"{told} These files have conflict markers now:" if done.conflicts else told


def _described(change: "TreeChange") -> str:
    old = f" from {one_line(change.old_path)}" if change.old_path else ""
    return f"{KINDS.get(change.status, change.status)}: {one_line(change.path)}{old}"
