"""What one client of the 2025 era must still be told: each thing once, however slowly it reads.

It never holds up whoever has something to tell. When something changed, and who wants to hear it, is known elsewhere.
"""

from typing import Protocol

import anyio
from mcp.server.subscriptions import PromptsListChanged, ResourcesListChanged, ResourceUpdated, ServerEvent

PATIENCE = 30.0
"""Seconds that a client may take to read a notice before it counts as gone."""


class NotificationSender(Protocol):
    """The part of the SDK's session that is needed."""

    async def send_resource_updated(self, uri: str) -> None:
        """``notifications/resources/updated``."""
        ...

    async def send_resource_list_changed(self) -> None:
        """``notifications/resources/list_changed``."""
        ...

    async def send_prompt_list_changed(self) -> None:
        """``notifications/prompts/list_changed``."""
        ...


class Outbox:
    """The notices for one client.

    Args:
        session: Sends them.
    """

    def __init__(self, session: NotificationSender) -> None:
        self.uris: set[str] = set()
        """The resources that the client subscribed to."""
        self._session = session
        self._waiting: dict[ServerEvent, None] = {}
        self._news = anyio.Event()
        self._closed = False

    def put(self, event: ServerEvent) -> None:
        """Tell the client, unless it did not subscribe to that; what waits to be told already says it too."""
        if not isinstance(event, ResourceUpdated) or event.uri in self.uris:
            self._waiting[event] = None
            self._news.set()

    def unsubscribe(self, uri: str) -> None:
        """Never tell of a resource again, nor what waits to be told of it."""
        self.uris.discard(uri)
        self._waiting.pop(ResourceUpdated(uri), None)

    def close(self) -> None:
        """The client is gone."""
        self._closed = True
        self._news.set()

    async def deliver(self) -> None:
        """Send what there is to tell, until the client is gone or reads nothing."""
        while event := await self._next():
            try:
                with anyio.fail_after(PATIENCE):
                    await self._send(event)
            except (TimeoutError, anyio.ClosedResourceError, anyio.BrokenResourceError):
                return

    async def _next(self) -> ServerEvent | None:
        """Wait for the next notice; ``None``: the client is gone."""
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
