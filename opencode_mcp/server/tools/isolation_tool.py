"""Tool that brings the changes of an isolated run back."""

from typing import TYPE_CHECKING, Annotated

from mcp_types import CallToolResult
from pydantic import Field

from opencode_mcp.disk.path_errors import check_text
from opencode_mcp.errors import InvalidArgument, NotAllowed, NotFound, SessionBusy
from opencode_mcp.isolation import integration_result
from opencode_mcp.isolation.integration_ways import How
from opencode_mcp.server.access.execution.integration_checks import check_of
from opencode_mcp.server.access.operations_of_tools import UNDO
from opencode_mcp.server.bridge import Bridge, BridgeContext, bridge_of
from opencode_mcp.server.definition.tool import tool
from opencode_mcp.server.results import integration_text
from opencode_mcp.server.results.render import result
from opencode_mcp.server.sessions import session_deletion
from opencode_mcp.server.sessions.titles import title_of
from opencode_mcp.server.tools.run_tools import SessionId
from opencode_mcp.server.waiting.call_deadlines import start_deadline_of, starting

if TYPE_CHECKING:
    from opencode_mcp.isolation.worktree_records import Worktree
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session

WAIT_OR_STOP = "Wait for it with opencode_wait. opencode_abort stops it."


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
            description="apply: change files only; commit: one commit; merge: with its commits; branch: keep only the "
            "branch; discard: drop; undo: the last apply"
        ),
    ],
    message: Annotated[str, Field(description="Of the commit; else the title")] = "",
    markers: Annotated[bool, Field(description="Write conflict markers; else change nothing")] = False,
) -> CallToolResult:
    """Bring the work of a run with isolate=true into the user's checkout, or drop it.

    See opencode_diff first. The result names conflicts and how to undo it.
    """
    if markers and how not in {"apply", "undo"}:
        raise InvalidArgument("markers=true needs how=apply.", hint="Resolve the conflicts in the files after it.")
    check_text(message, "message")
    bridge = bridge_of(ctx)
    async with starting(ctx, start_deadline_of(ctx)):
        worktree, session = await _worktree_of(bridge, session_id)
        await _check_idle(bridge, worktree)
    title = title_of(session) if session else ""
    check = check_of(bridge.allowed, await bridge.operation_of(UNDO), worktree)
    options = integration_result.IntegrationOptions(
        message or title or worktree.name, markers=markers, title=title, check=check
    )
    done = await bridge.integrator.integrate(worktree, how, options)
    if session is None and how in integration_text.REMOVING:
        await _delete_unused_record(bridge, worktree)
    return result(integration_text.text_of(how, worktree, done), integration_text.data_of(how, worktree, done))


async def _check_idle(bridge: Bridge, worktree: "Worktree") -> None:
    """Refuse to bring work back while it changes or is verified.

    Raises:
        SessionBusy: A session is running in the worktree, or its work is being verified.
    """
    # OpenCode has not confirmed a worktree without a directory, and must not open the target of a link in its place.
    exists = worktree.directory and not bridge.fence.leads_elsewhere(worktree.directory)
    busy = await bridge.client.running_sessions(worktree.directory) if exists else []
    if busy:
        raise SessionBusy(f"The session {busy[0]} is running in the worktree.", hint=WAIT_OR_STOP)
    if verification := bridge.runs.verifications.running_in(worktree.session_id):
        raise SessionBusy(
            f"The work of the session {worktree.session_id} is being verified: {verification.activity}.",
            hint=WAIT_OR_STOP,
        )


async def _delete_unused_record(bridge: Bridge, worktree: "Worktree") -> None:
    """Delete the record of a removed worktree if no session needs it any more."""
    if not await session_deletion.has_sessions(bridge, worktree.directory):
        await bridge.worktrees.delete_record(worktree)


async def _worktree_of(bridge: Bridge, name: str) -> "tuple[Worktree, Session | None]":
    """Return the worktree of a session, of a deleted session or of a branch, and its session, if that can be used.

    It cannot be used if the worktree was replaced by a link. The worktree can still be discarded.

    Raises:
        NotFound: There is no such worktree, or it was removed.
        NotAllowed: Its project is not listed.
    """
    left = bridge.worktrees.find(name)
    if left is None or await bridge.fence.hides(left):
        session = await bridge.fence.session(name)
        return bridge.worktrees.of(session.directory), session
    await bridge.fence.check_worktree(left)
    try:
        return left, await bridge.fence.session(left.session_id)
    except (NotFound, NotAllowed):
        return left, None
