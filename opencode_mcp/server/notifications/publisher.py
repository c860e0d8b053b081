"""Turn OpenCode's events into notifications about resources and lists, at most four per second for each.

One task serves all subscribers of a server from the hub's stream. A notification says that something changed, not
what. ``affected_uris.py`` knows which event changes which resource.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
from mcp.server.subscriptions import PromptsListChanged, ResourcesListChanged, ResourceUpdated, ServerEvent

from opencode_mcp.bounded_dict import BoundedDict
from opencode_mcp.errors import BridgeError
from opencode_mcp.events.hub import EVERYTHING, Hub
from opencode_mcp.opencode.vocabulary import backend_events
from opencode_mcp.server.access.event_access import SessionAccess
from opencode_mcp.server.notifications.affected_uris import changed_by, names_of
from opencode_mcp.server.notifications.throttle import Throttle

if TYPE_CHECKING:
    from opencode_mcp.server.access.event_access import EventFence
    from opencode_mcp.server.notifications.subscriptions import Subscriptions

SHORTEST_PAUSE_SECONDS = 0.25
"""Seconds between two notifications about one URI."""
RECONNECT_SECONDS = 2.0
"""Seconds between two attempts to find an OpenCode that is gone."""
REMEMBERED_TITLES = 2000
CONCERN_ALL = (backend_events.Gap, backend_events.Lost)
"""Events of the bridge's own about the whole stream, whatever session it was about."""
CHANGE_LISTS = (
    backend_events.SessionChanged,
    backend_events.SessionDeleted,
    backend_events.ProjectChanged,
    *CONCERN_ALL,
)
"""Events that may change a list. The others change only resources."""

logger = logging.getLogger(__name__)


class Publisher:
    """Notifies subscribers of changes that OpenCode's events report.

    Args:
        hub: Receives the events.
        subscriptions: Sends the notifications.
        fence: Says of which directories and sessions callers may know; events of others are not reported.
        attached: Whether somebody else runs OpenCode, and may restart it.
    """

    def __init__(self, hub: Hub, subscriptions: "Subscriptions", fence: "EventFence", *, attached: bool) -> None:
        self._hub = hub
        self._subscriptions = subscriptions
        self._fence = fence
        self._attached = attached
        self._throttle = Throttle[ServerEvent](SHORTEST_PAUSE_SECONDS)
        self._is_reading = False
        self._titles = BoundedDict[str, str](REMEMBERED_TITLES)
        self._sessions = SessionAccess(fence)

    async def run(self) -> None:
        """Send notifications until cancelled."""
        with self._hub.listen(EVERYTHING) as listener:
            async with anyio.create_task_group() as tasks:
                while True:
                    events = await listener.wait(self._throttle.next_due - anyio.current_time())
                    await self._take(events)
                    if any(isinstance(event, backend_events.Lost) for event in events):
                        tasks.start_soon(self.reconnect)

    async def _take(self, events: Sequence[backend_events.Event]) -> None:
        if self._subscriptions.anybody:
            own = await self._own(self._relevant(events))
            self._note_lists(own)
            self._note_resources(own)
        for notice in self._throttle.take(anyio.current_time()):
            await self._subscriptions.notify(notice)

    def _relevant(self, events: Sequence[backend_events.Event]) -> Sequence[backend_events.Event]:
        """Return the events of which somebody may be notified; to check the directory of an event takes time."""
        if self._subscriptions.wanted():
            return events
        return [event for event in events if isinstance(event, CHANGE_LISTS)]

    async def _own(self, events: Sequence[backend_events.Event]) -> list[backend_events.Event]:
        """Return the events of allowed directories and sessions, and those that concern all."""
        owners = {(event.place, event.session_id) for event in events if not isinstance(event, CONCERN_ALL)}
        allowed = {owner for owner in owners if await self._allows(*owner)}
        return [
            event for event in events if isinstance(event, CONCERN_ALL) or (event.place, event.session_id) in allowed
        ]

    async def _allows(self, place: str, session_id: str) -> bool:
        """Return True if callers may know of what happens in a directory or, if an event has none, in a session."""
        try:
            if place:
                return await self._fence.allows(place)
            return not session_id or await self._sessions.allows(session_id)
        except BridgeError as error:
            logger.info("an event is not reported, since its directory cannot be checked: %s", error)
            return False

    async def reconnect(self) -> None:
        """Try to reach an OpenCode that others run until it is back; the hub then reports a gap."""
        if self._is_reading or not self._attached:
            return
        self._is_reading = True
        try:
            while self._subscriptions.wanted() and not self._hub.follows:
                await anyio.sleep(RECONNECT_SECONDS)
                with suppress(BridgeError):
                    await self._hub.ensure()
        finally:
            self._is_reading = False

    def _note_resources(self, events: Sequence[backend_events.Event]) -> None:
        changed = self._changed_addresses(events)
        anything = any(isinstance(event, backend_events.Gap) for event in events)
        if not changed and not anything:
            return
        now = anyio.current_time()
        for uri in self._subscriptions.wanted():
            if anything or not changed.isdisjoint(names_of(uri)):
                self._throttle.note(ResourceUpdated(uri), now)

    def _changed_addresses(self, events: Sequence[backend_events.Event]) -> set[str]:
        return {address for event in events for address in changed_by(event, self._hub.lineage(event.session_id))}

    def _note_lists(self, events: Sequence[backend_events.Event]) -> None:
        now = anyio.current_time()
        if any([self._changes_sessions(event) for event in events]):  # noqa: C419 - each event is remembered
            self._throttle.note(ResourcesListChanged(), now)
        # A gap is also the first event after connecting, and the only one after OpenCode 1 has read its settings again.
        if any(map(_changes_commands, events)):
            self._throttle.note(PromptsListChanged(), now)

    def _changes_sessions(self, event: backend_events.Event) -> bool:
        """Return True if a listed session (not a subagent's) is new, deleted or has a new title."""
        match event:
            case backend_events.SessionChanged(session=session) if not session.parent_id:
                before = self._titles.get(session.id)
                self._titles[session.id] = session.title or before or ""
                return self._titles[session.id] != before
            case backend_events.SessionDeleted(session_id=session_id):
                self._titles.pop(session_id, None)
                return len(self._hub.lineage(session_id)) == 1
            case _:
                return isinstance(event, backend_events.Gap)


def _changes_commands(event: backend_events.Event) -> bool:
    match event:
        case backend_events.ProjectChanged(commands=commands):
            return commands
        case _:
            return isinstance(event, backend_events.Gap)
