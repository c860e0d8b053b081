"""Queue of notifications for one client of the 2025 era: each is kept once, however slowly the client reads.

It never blocks the sender of an event. Other modules decide when something changed, and which client subscribed to it.
"""

from typing import Protocol

import anyio
from mcp.server.subscriptions import PromptsListChanged, ResourcesListChanged, ResourceUpdated, ServerEvent

SEND_TIMEOUT_SECONDS = 30.0
"""Seconds that a client may take to read a notification before it counts as disconnected."""


class NotificationSender(Protocol):
    """Part of the SDK's session that is needed."""

    async def send_resource_updated(self, uri: str) -> None:
        """Send ``notifications/resources/updated``."""
        ...

    async def send_resource_list_changed(self) -> None:
        """Send ``notifications/resources/list_changed``."""
        ...

    async def send_prompt_list_changed(self) -> None:
        """Send ``notifications/prompts/list_changed``."""
        ...


class Outbox:
    """Pending notifications for one client.

    Args:
        session: Sends them.
    """

    def __init__(self, session: NotificationSender) -> None:
        self.uris: set[str] = set()
        """Resources that the client subscribed to."""
        self._session = session
        self._waiting: dict[ServerEvent, None] = {}
        self._news = anyio.Event()
        self._closed = False

    def put(self, event: ServerEvent) -> None:
        """Add a notification if the client subscribed to its resource; a pending one is not added again."""
        if not isinstance(event, ResourceUpdated) or event.uri in self.uris:
            self._waiting[event] = None
            self._news.set()

    def unsubscribe(self, uri: str) -> None:
        """Remove a subscription and the pending notification for it."""
        self.uris.discard(uri)
        self._waiting.pop(ResourceUpdated(uri), None)

    def close(self) -> None:
        """End the delivery: the client has disconnected."""
        self._closed = True
        self._news.set()

    async def deliver(self) -> None:
        """Send notifications until the client has disconnected or does not read."""
        while event := await self._next():
            try:
                with anyio.fail_after(SEND_TIMEOUT_SECONDS):
                    await self._send(event)
            except (TimeoutError, anyio.ClosedResourceError, anyio.BrokenResourceError):
                return

    async def _next(self) -> ServerEvent | None:
        """Wait for the next notification; ``None``: the client has disconnected."""
        while not self._waiting and not self._closed:
            self._news = anyio.Event()
            await self._news.wait()
        if self._closed:
            return None
        event = next(iter(self._waiting))
        del self._waiting[event]
        return event

    async def _send(self, event: ServerEvent) -> None:
        match event:
            case ResourceUpdated(uri=uri):
                await self._session.send_resource_updated(uri)
            case ResourcesListChanged():
                await self._session.send_resource_list_changed()
            case PromptsListChanged():
                await self._session.send_prompt_list_changed()
            case _:
                pass
