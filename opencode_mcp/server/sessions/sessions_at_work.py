"""Sessions in which a run is at work: they take places, of the queue and of a principal.

Which sessions of a directory are busy is read where the operator allows the directory: a request opens it, with its
plugins. For other directories OpenCode 2 reports the same. OpenCode 1 reports only which sessions have changed; its
events tell which ones begin and end work.
"""

from contextlib import suppress
from typing import TYPE_CHECKING

from opencode_mcp.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.server.bridge import Bridge

IN_USE_SECONDS = 3600.0
"""Time for which a session that does not change may be busy: OpenCode changes it at each step."""
JUST_CHANGED_SECONDS = 60.0
"""Time for which one counts as busy if no event shows what it does."""


async def sessions_at_work(bridge: "Bridge") -> set[str]:
    """Return the sessions at work in the projects of a bridge and in their isolated worktrees.

    Subagents do not count, nor sessions that wait for an answer.

    Raises:
        BackendError: OpenCode could not be read.
    """
    return await _at_work_in(bridge, await _directories(bridge, await _in_use(bridge)))


async def sessions_at_work_anywhere(bridge: "Bridge") -> set[str]:
    """Return the same with the sessions of all other directories that seem to work; raises as ``sessions_at_work``."""
    in_use = await _in_use(bridge)
    directories = await _directories(bridge, in_use)
    elsewhere = [session for session in in_use if session.directory not in directories]
    seen = {session.id for session in elsewhere if await _seems_busy(bridge, session)}
    return seen | await _at_work_in(bridge, directories)


async def _in_use(bridge: "Bridge") -> "list[Session]":
    """Return the sessions of all directories that may be busy, and follow the events that tell of more."""
    await bridge.hub.ensure()
    since = bridge.client.clock.now() - IN_USE_SECONDS
    return await bridge.client.sessions_in_use(since * 1000)


async def _directories(bridge: "Bridge", in_use: "Iterable[Session]") -> list[str]:
    """Return the projects of a bridge, and the worktrees of them in which sessions may be busy."""
    found = dict.fromkeys(await bridge.fence.roots())
    for session in in_use:
        directory = session.directory
        if await bridge.fence.allows(directory) and not bridge.fence.is_removed(directory):
            found[directory] = None
    return list(found)


async def _at_work_in(bridge: "Bridge", directories: "Collection[str]") -> set[str]:
    busy: set[str] = set()
    waiting: set[str] = set()
    for directory in directories:
        found = await bridge.client.running_sessions(directory)
        busy |= await _roots(bridge, found)
        if found:
            asked = await bridge.requests.listed(directory)
            waiting |= await _roots(bridge, [request.session_id for request in asked])
    return busy - waiting


async def _seems_busy(bridge: "Bridge", session: "Session") -> bool:
    """Return True if a session works, as far as that is known without a look into its directory."""
    features = await bridge.client.features()
    if features.busy_anywhere:
        return True
    state = bridge.hub.state(session.id)
    unchanged = bridge.client.clock.now() - session.time.updated / 1000
    return state.status is not None or (not state.ended and unchanged < JUST_CHANGED_SECONDS)


async def _roots(bridge: "Bridge", session_ids: "Iterable[str]") -> set[str]:
    """Return the sessions that persons and agents have started, of which some are the subagents."""
    found: set[str] = set()
    for session_id in session_ids:
        # OpenCode keeps the requests of sessions that were deleted.
        with suppress(NotFound):
            found.add((await bridge.requests.lineage(session_id))[-1])
    return found
