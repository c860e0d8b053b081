"""Sessions in which a run is at work: they take places, of the queue and of a principal."""

from contextlib import suppress
from typing import TYPE_CHECKING

from opencode_mcp.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opencode_mcp.server.bridge import Bridge


async def sessions_at_work(bridge: "Bridge") -> set[str]:
    """Return the sessions at work in the projects of a bridge, without subagents and those that wait for an answer.

    Raises:
        BackendError: OpenCode could not be read.
    """
    busy: set[str] = set()
    waiting: set[str] = set()
    for directory in await bridge.fence.roots():
        found = await bridge.client.running_sessions(directory)
        busy |= await _roots(bridge, found)
        if found:
            asked = await bridge.requests.listed(directory)
            waiting |= await _roots(bridge, [request.session_id for request in asked])
    return busy - waiting


async def _roots(bridge: "Bridge", session_ids: "Iterable[str]") -> set[str]:
    """Return the sessions that persons and agents have started, of which some are the subagents."""
    found: set[str] = set()
    for session_id in session_ids:
        # OpenCode keeps the requests of sessions that were deleted.
        with suppress(NotFound):
            found.add((await bridge.requests.lineage(session_id))[-1])
    return found
