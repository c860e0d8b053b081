"""Handlers of operations that return a stream of events: collect events for a limited time and number."""

from typing import TYPE_CHECKING

from opencode_mcp.events.event_collection import EventFilter, collect_until, directory_of, session_of, type_of
from opencode_mcp.server.access.event_access import SessionAccess
from opencode_mcp.server.operations.handlers.handler import OperationRequest, OperationResult
from opencode_mcp.text.json_types import JsonMap

if TYPE_CHECKING:
    from opencode_mcp.server.access.event_access import EventFence

DEFAULT_SECONDS = 10
DEFAULT_EVENTS = 50
MOST_EVENTS = 500
NO_DIRECTORY = frozenset({"", "global"})
"""Directories in events that have none."""
GENERAL = frozenset(
    {
        "server.connected",
        "server.heartbeat",
        "global.disposed",
        "installation.updated",
        "installation.update-available",
        "location.shutdown",
        "models-dev.refreshed",
    }
)
"""Types of events that concern neither a directory nor a session. Others may name a project that is outside."""
OF_ANY_PROJECT = frozenset({"project.updated"})
"""Types of events that OpenCode 1 also sends to the streams of other directories."""
ENDS = {
    "time": "the time is up.",
    "type": "the awaited event came.",
    "count": "the count is reached.",
    "size": "the size limit is reached.",
    "closed": "OpenCode ended the stream, as it does at the end of a log and when the instance is disposed.",
}


async def collect_events(request: OperationRequest) -> OperationResult:
    """Collect the events of a stream until a limit is reached."""
    own = request.own
    wanted = EventFilter(
        seconds=own.get("seconds", DEFAULT_SECONDS),
        types=frozenset(own.get("types", ())),
        until=own.get("until", ""),
        sessions=frozenset(filter(None, [own.get("sessionID")])),
        count=own.get("count", DEFAULT_EVENTS),
        is_noise=request.bridge.operations.is_noise,
    )
    visible = VisibleEvents(request.bridge.fence, of_directory=request.operation.scope == "directory")
    stream = request.bridge.operations.events(request.operation, request.call)
    gathered = await collect_until(stream, wanted, visible.admits)
    value = {"events": gathered.events, "ended": gathered.ended}
    return OperationResult(value, notes=[f"{len(gathered.events)} events; {ENDS[gathered.ended]}"])


class VisibleEvents:
    """Decides which events a caller may see: those of allowed directories and sessions, and ``GENERAL`` ones.

    Args:
        fence: Knows the allowed directories and sessions.
        of_directory: Whether the stream is that of one allowed directory, which its events then do not name.
    """

    def __init__(self, fence: "EventFence", *, of_directory: bool = False) -> None:
        self._fence = fence
        self._of_directory = of_directory
        self._directories: dict[str, bool] = {}
        self._sessions = SessionAccess(fence)

    async def admits(self, event: JsonMap) -> bool:
        """Return True if a caller may see an event."""
        directory, session_id = directory_of(event), session_of(event)
        if directory not in NO_DIRECTORY:
            return await self._admits_directory(directory)
        if session_id:
            return await self._sessions.allows(session_id)
        return type_of(event) not in OF_ANY_PROJECT if self._of_directory else type_of(event) in GENERAL

    async def _admits_directory(self, directory: str) -> bool:
        if directory not in self._directories:
            self._directories[directory] = await self._fence.allows(directory)
        return self._directories[directory]
