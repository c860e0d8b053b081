"""Handlers of operations that return a stream of events: collect events for a limited time and number."""

from opencode_mcp.errors import CallerError
from opencode_mcp.events.collection import EventFilter, collect_until, directory_of, session_of
from opencode_mcp.server.bridge import Bridge
from opencode_mcp.server.operations.handlers.handler import OperationRequest, OperationResult
from opencode_mcp.text.json_types import JsonMap

SECONDS = 10
COUNT = 50
MOST = 500
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
        seconds=own.get("seconds", SECONDS),
        types=frozenset(own.get("types", ())),
        until=own.get("until", ""),
        sessions=frozenset(filter(None, [own.get("sessionID")])),
        count=own.get("count", COUNT),
        is_noise=request.bridge.operations.is_noise,
    )
    visible = _Visible(request.bridge)
    stream = request.bridge.operations.events(request.operation, request.call)
    gathered = await collect_until(stream, wanted, visible.admits)
    value = {"events": gathered.events, "ended": gathered.ended}
    return OperationResult(value, notes=[f"{len(gathered.events)} events; {ENDS[gathered.ended]}"])


class _Visible:
    """Decides which events a caller may see: those of allowed directories, and those of no directory."""

    def __init__(self, bridge: Bridge) -> None:
        self._fence = bridge.fence
        self._known: dict[str, bool] = {"": True, "global": True}

    async def admits(self, event: JsonMap) -> bool:
        directory = directory_of(event)
        if directory not in self._known:
            self._known[directory] = await self._fence.allows(directory)
        return self._known[directory] and (bool(directory) or await self._admits_session(session_of(event)))

    async def _admits_session(self, session_id: str) -> bool:
        if session_id not in self._known:
            self._known[session_id] = await self._is_own(session_id)
        return self._known[session_id]

    async def _is_own(self, session_id: str) -> bool:
        try:
            await self._fence.session(session_id)
        except CallerError:
            return False
        return True
