"""Deletion of a session with its subagents: it is stopped first, and a denied stop stays denied."""

from typing import TYPE_CHECKING

from opencode_mcp.errors import BackendTimeout
from opencode_mcp.runs import stopping
from opencode_mcp.server.access.operation_uses import STOP

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.models import Session
    from opencode_mcp.server.bridge import Bridge

SECONDS = 10.0


async def stop_before_deletion(bridge: "Bridge", session: "Session") -> bool:
    """Stop a session and its subagents, and return True if any of them was at work (``session.abort``).

    In OpenCode 1.18 a deleted session that is busy continues.

    Raises:
        NotAllowed: It is busy, and the operator denies stopping it.
        BackendTimeout: It could not be stopped.
    """
    tree = stopping.SessionTree(bridge.client, session.id, session.directory)
    was_running = bool(await tree.busy_levels())
    if was_running:
        bridge.allowed.check(await bridge.operation_of(STOP))
        if busy := await tree.stop(SECONDS):
            raise BackendTimeout(f"Still busy, so nothing was deleted: {', '.join(busy)}.", hint="Call it again.")
    return was_running
