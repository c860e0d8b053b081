"""Parser for the event stream of OpenCode 2 (``event.subscribe``); unknown and malformed events become nothing.

Pure. The stream has the events of every directory. The modules ``execution_events``, ``content_events`` and
``session_events`` convert them; ``event_memory`` holds what their later events refer to.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from opencode_mcp.bounded_dict import BoundedDict
from opencode_mcp.errors import BridgeError
from opencode_mcp.opencode.v2.event_parsing import content_events, execution_events, session_events
from opencode_mcp.opencode.v2.event_parsing.event_memory import Received, SessionMemory
from opencode_mcp.opencode.vocabulary.backend_events import Event, InstanceDisposed, ProjectChanged
from opencode_mcp.text.json_text import read_json
from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_map, as_number, as_text

CONNECTED = "server.connected"
"""Type of a stream's first event."""
SHUTDOWN = "location.shutdown"
DELETED = "session.deleted"
AGENTS = "agent.updated"
"""Type of an event that OpenCode sends whenever it opens or closes a directory, among other things."""
PROJECT: Mapping[str, bool] = {
    AGENTS: False,
    "command.updated": True,
    "config.updated": True,
    "mcp.status.changed": True,
    "model.updated": False,
    "provider.updated": False,
    "vcs.branch.updated": False,
}
"""Types of events about what a project offers, each with True if it may concern commands; they contain little more."""
REMEMBERED_SESSIONS = 2000
PARSERS: Mapping[str, Callable[[Received], list[Event]]] = {
    **execution_events.PARSERS,
    **content_events.PARSERS,
    **session_events.PARSERS,
}
"""Parsers of events about a session, by the type of the event."""


class EventParser2:
    """Parser for the lines of one stream after another; it remembers what later events refer to."""

    def __init__(self) -> None:
        self._sessions = BoundedDict[str, SessionMemory](REMEMBERED_SESSIONS)

    def parse(self, data: str) -> list[Event]:
        """Parse one line of the stream.

        Returns:
            The events, in order; nothing if the bridge does not use the line or cannot parse it.
        """
        try:
            return self._events(as_map(read_json(data)))
        except (ValueError, BridgeError):
            return []

    def _events(self, event: JsonMap) -> list[Event]:
        kind, directory = as_text(event.get("type")), as_text(as_map(event.get("location")).get("directory"))
        if kind == CONNECTED:
            self._forget_work()
        elif kind == SHUTDOWN:
            return [InstanceDisposed("", directory)]
        elif kind in PROJECT:
            return [ProjectChanged("", PROJECT[kind], reopened=kind == AGENTS, reported_directory=directory)]
        elif kind in PARSERS:
            return self._session_events(PARSERS[kind], event, directory)
        return []

    def _session_events(self, parser: Callable[[Received], list[Event]], event: JsonMap, directory: str) -> list[Event]:
        session_id = _session_of(as_map(event.get("data")))
        if not session_id:
            return []
        session = self._remember(session_id, directory)
        events = parser(
            Received(
                session_id,
                session,
                as_text(event.get("id")),
                as_number(event.get("created")) or 0,
                as_map(event.get("data")),
            )
        )
        if as_text(event.get("type")) == DELETED:
            del self._sessions[session_id]
        return [replace(item, reported_directory=session.directory) for item in events] if session.directory else events

    def _remember(self, session_id: str, directory: str) -> SessionMemory:
        session = self._sessions.get(session_id) or SessionMemory()
        session.directory = directory or session.directory
        self._sessions[session_id] = session
        return session

    def _forget_work(self) -> None:
        """Forget what an event that was sent while no stream was connected may have changed."""
        for session in self._sessions.values():
            session.forget_work()


def _session_of(data: JsonMap) -> str:
    return as_text(data.get("sessionID")) or as_text(as_map(data.get("form")).get("sessionID"))
