"""Deletion of a session with its subagents: it is stopped first, and a denied stop stays denied.

An isolated worktree stays when its session is deleted: its work may not have been brought back.
"""

from typing import TYPE_CHECKING

from opencode_mcp.errors import BackendTimeout, BridgeError, NotFound
from opencode_mcp.opencode.vocabulary.session_filter import SessionFilter
from opencode_mcp.runs import session_stopping
from opencode_mcp.server.access.operations_of_tools import STOP
from opencode_mcp.server.results.render import without_tools
from opencode_mcp.text.quantities import quantity

if TYPE_CHECKING:
    from opencode_mcp.isolation.worktree_records import Worktree
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.server.bridge import Bridge

DELETION_SECONDS = 10.0


def stop_verification(bridge: "Bridge", session: "Session") -> None:
    """Stop the command that verifies the work of a session, if this bridge runs it."""
    if verification := bridge.runs.verifications.running_in(session.id):
        verification.stop("Its session was stopped or deleted.")


async def stop_before_deletion(bridge: "Bridge", session: "Session") -> bool:
    """Stop a session and its subagents, and return True if any of them was at work (``session.abort``).

    In OpenCode 1.18 a deleted session that is busy continues.

    Raises:
        NotAllowed: It is busy, and the operator denies stopping it.
        BackendTimeout: It could not be stopped.
    """
    stop_verification(bridge, session)
    tree = session_stopping.SessionTree(bridge.client, session.id, session.directory)
    was_running = bool(await tree.busy_levels())
    if was_running:
        bridge.allowed.check(await bridge.operation_of(STOP))
        if busy := await tree.stop(DELETION_SECONDS):
            raise BackendTimeout(f"Still running, so nothing was deleted: {', '.join(busy)}.", hint="Call it again.")
    return was_running


async def worktree_note(bridge: "Bridge", directory: str) -> str:
    """Return sentences on the isolated worktree that stays when its session is deleted; empty if there is none."""
    try:
        worktree = bridge.worktrees.of(directory)
    except NotFound:
        return ""
    call = f'opencode_integrate(session_id="{worktree.branch}", how=...)'
    note = f"Its worktree stays, {await _state_of(bridge, worktree)}. {call} still brings it back or drops it."
    return without_tools(note, bridge.unlisted_tools)


async def _state_of(bridge: "Bridge", worktree: "Worktree") -> str:
    try:
        pending = await bridge.integrator.pending(worktree)
    except BridgeError:
        return f"with work on the branch {worktree.branch} that cannot be compared with {worktree.project}"
    if not pending:
        return f"on the branch {worktree.branch}, without changes that {worktree.project} lacks"
    files = quantity(len(pending), "file")
    return f"with changes of {files} on the branch {worktree.branch} that {worktree.project} lacks"


async def forget_worktree(bridge: "Bridge", session: "Session") -> None:
    """Forget the removed worktree of a session that was deleted, unless another session worked there, too."""
    bridge.fence.forget_session(session.id)
    if not bridge.fence.is_removed(session.directory):
        return
    if not await _may_have_sessions(bridge, session.directory):
        await bridge.worktrees.forget(session.directory)


async def _may_have_sessions(bridge: "Bridge", directory: str) -> bool:
    """Return True unless OpenCode's list shows that no session is left in a directory.

    The list is read after a deletion, which must not look failed because the list fails.
    """
    try:
        return await has_sessions(bridge, directory)
    except BridgeError:
        return True


async def has_sessions(bridge: "Bridge", directory: str) -> bool:
    """Return True if a session works in a directory, or did (``experimental.session.list``)."""
    page = await bridge.client.all_sessions(SessionFilter(limit=1, archived=True), directory)
    return bool(page.items)
