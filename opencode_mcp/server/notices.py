"""OpenCode's events become notices about resources: which address each event changes, and how often that is told.

One task serves every subscriber of a server from the hub's one stream. It says that something changed and never what,
at most four times a second for one address.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.events import wire
from opencode_mcp.events.hub import EVERYTHING, Hub
from opencode_mcp.server import uris

if TYPE_CHECKING:
    from opencode_mcp.server.subscriptions import Subscriptions

SHORTEST = 0.25
"""Seconds between two notices about one address."""


class Notices:
    """Tells subscribers what OpenCode's events change.

    Args:
        hub: Hears of the events.
        subscriptions: Tells the subscribers.
    """

    def __init__(self, hub: Hub, subscriptions: "Subscriptions") -> None:
        self._hub = hub
        self._subscriptions = subscriptions
        self._due: dict[str, float] = {}
        self._told: dict[str, float] = {}

    async def run(self) -> None:
        """Tell for as long as the task runs."""
        with self._hub.listen(EVERYTHING) as listener:
            while True:
                soonest = min(self._due.values(), default=math.inf)
                events = await listener.wait(soonest - anyio.current_time())
                if self._subscriptions.anybody:
                    await self._tell_lists(events)
                    self._note(events)
                    await self._tell_due()

    def _note(self, events: list[wire.Event]) -> None:
        wanted = self._subscriptions.wanted()
        if not wanted:
            return
        changed = {address for event in events for address in changed_by(event)}
        if any(isinstance(event, wire.Gap) for event in events):
            # Anything may have changed meanwhile.
            changed.update(map(_without_query, wanted))
        now = anyio.current_time()
        for uri in wanted:
            if _without_query(uri) in changed:
                self._due.setdefault(uri, max(now, self._told.get(uri, 0) + SHORTEST))

    async def _tell_due(self) -> None:
        now = anyio.current_time()
        wanted = self._subscriptions.wanted()
        for uri in [uri for uri, due in self._due.items() if due <= now]:
            del self._due[uri]
            if uri in wanted:
                self._told[uri] = now
                await self._subscriptions.tell_updated(uri)
        self._told = {uri: told for uri, told in self._told.items() if now - told < SHORTEST}

    async def _tell_lists(self, events: list[wire.Event]) -> None:
        if any(_changes_sessions(event) for event in events):
            await self._subscriptions.tell_resources_changed()
        if any(isinstance(event, wire.InstanceDisposed) for event in events):
            await self._subscriptions.tell_prompts_changed()


def _changes_sessions(event: wire.Event) -> bool:
    return isinstance(event, wire.SessionDeleted) or (isinstance(event, wire.SessionChanged) and event.created)


def _without_query(uri: str) -> str:
    return uri.partition("?")[0]


def changed_by(event: wire.Event) -> Iterator[str]:
    """The addresses, without queries, of the resources that an event changes."""
    session_id = event.session_id
    match event:
        case wire.MessageChanged(message=message):
            yield uris.transcript(session_id)
            yield uris.message(session_id, message.id)
            yield uris.run(session_id, message.parent_id or message.id)
            if message.role == "user":
                # OpenCode puts what a prompt changed into the prompt's own message.
                yield uris.diff(session_id)
        case wire.PartChanged(part=part):
            yield uris.transcript(session_id)
            yield uris.message(session_id, str(part.get("messageID")))
            if part.get("type") == "patch":
                yield uris.diff(session_id)
        case wire.PartGrew(message_id=message_id):
            yield uris.transcript(session_id)
            yield uris.message(session_id, message_id)
        case wire.TodosChanged():
            yield uris.todo(session_id)
        case wire.SessionChanged() | wire.SessionDeleted():
            yield uris.session(session_id)
            yield uris.SESSIONS
        case _:
            yield from _changed_by_state(event)


def _changed_by_state(event: wire.Event) -> Iterator[str]:
    if isinstance(event, wire.StatusChanged | wire.Idle | wire.Failed):
        yield uris.SESSIONS
    if event.session_id:
        yield uris.session(event.session_id)
