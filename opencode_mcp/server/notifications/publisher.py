"""Turn OpenCode's events into notifications about resources and lists, at most four per second for each.

One task serves all subscribers of a server from the hub's stream. A notification says that something changed, not
what. ``affected_uris.py`` knows which event changes which resource.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
from mcp.server.subscriptions import PromptsListChanged, ResourcesListChanged, ResourceUpdated, ServerEvent

from opencode_mcp.bounded_dict import BoundedDict
from opencode_mcp.errors import BridgeError
from opencode_mcp.events.hub import EVERYTHING, Hub
from opencode_mcp.opencode.vocabulary import backend_events
from opencode_mcp.server.notifications.affected_uris import changed_by, names_of
from opencode_mcp.server.notifications.throttle import Pace

if TYPE_CHECKING:
    from opencode_mcp.server.notifications.subscriptions import Subscriptions

SHORTEST = 0.25
"""Seconds between two notifications about one URI."""
COME_BACK = 2.0
"""Seconds between two attempts to find an OpenCode that is gone."""
REMEMBERED_TITLES = 2000


class Publisher:
    """Notifies subscribers of changes that OpenCode's events report.

    Args:
        hub: Receives the events.
        subscriptions: Sends the notifications.
        allows: Returns True if callers may know of a directory; events of others are not reported.
        attached: Whether somebody else runs OpenCode, and may restart it.
    """

    def __init__(
        self, hub: Hub, subscriptions: "Subscriptions", allows: Callable[[str], Awaitable[bool]], *, attached: bool
    ) -> None:
        self._hub = hub
        self._subscriptions = subscriptions
        self._allows = allows
        self._attached = attached
        self._pace = Pace[ServerEvent](SHORTEST)
        self._looking = False
        self._titles = BoundedDict[str, str](REMEMBERED_TITLES)

    async def run(self) -> None:
        """Send notifications until cancelled."""
        with self._hub.listen(EVERYTHING) as listener:
            async with anyio.create_task_group() as tasks:
                while True:
                    events = await listener.wait(self._pace.next_due - anyio.current_time())
                    await self._take(events)
                    if any(isinstance(event, backend_events.Lost) for event in events):
                        tasks.start_soon(self.come_back)

    async def _take(self, events: Sequence[backend_events.Event]) -> None:
        if self._subscriptions.anybody:
            own = await self._own(events)
            self._note_lists(own)
            self._note_resources(own)
        for notice in self._pace.take(anyio.current_time()):
            await self._subscriptions.tell(notice)

    async def _own(self, events: Sequence[backend_events.Event]) -> list[backend_events.Event]:
        """Return the events of allowed directories, and those of no directory."""
        allowed = {""}
        for place in {event.place for event in events} - allowed:
            with suppress(BridgeError):
                if await self._allows(place):
                    allowed.add(place)
        return [event for event in events if event.place in allowed]

    async def come_back(self) -> None:
        """Try to reach an OpenCode that others run until it is back; the hub then reports a gap."""
        if self._looking or not self._attached:
            return
        self._looking = True
        try:
            while self._subscriptions.wanted() and not self._hub.follows:
                await anyio.sleep(COME_BACK)
                with suppress(BridgeError):
                    await self._hub.ensure()
        finally:
            self._looking = False

    def _note_resources(self, events: Sequence[backend_events.Event]) -> None:
        changed = self._changed_addresses(events)
        anything = any(isinstance(event, backend_events.Gap) for event in events)
        if not changed and not anything:
            return
        now = anyio.current_time()
        for uri in self._subscriptions.wanted():
            if anything or not changed.isdisjoint(names_of(uri)):
                self._pace.note(ResourceUpdated(uri), now)

    def _changed_addresses(self, events: Sequence[backend_events.Event]) -> set[str]:
        return {address for event in events for address in changed_by(event, self._hub.lineage(event.session_id))}

    def _note_lists(self, events: Sequence[backend_events.Event]) -> None:
        now = anyio.current_time()
        if any([self._changes_sessions(event) for event in events]):  # noqa: C419 - each event is remembered
            self._pace.note(ResourcesListChanged(), now)
        # A gap is also the first event after connecting, and the only one after OpenCode has read its settings again.
        if any(isinstance(event, backend_events.Gap) for event in events):
            self._pace.note(PromptsListChanged(), now)

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
