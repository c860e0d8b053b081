"""The one OpenCode that the bridge works with: found when first needed, found again when it is gone.

A door like ``Transport``, which it renews. It knows nothing of what is said.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import BackendUnavailable
from opencode_mcp.opencode.clock import Clock
from opencode_mcp.opencode.transport import READ_TIMEOUT, Body, Transport

if TYPE_CHECKING:
    from opencode_mcp.launcher.launcher import Launcher
    from opencode_mcp.opencode.codec import Reply, Request
    from opencode_mcp.opencode.endpoint import Endpoint
    from opencode_mcp.opencode.transport import Socket


class Connection:
    """Sends requests to whichever server the launcher finds.

    Args:
        launcher: Finds or starts the server.
    """

    def __init__(self, launcher: "Launcher") -> None:
        self._launcher = launcher
        self._transport: Transport | None = None
        self._lost: Transport | None = None
        self._lock = anyio.Lock(fast_acquire=True)
        self._closed = False

    @property
    def endpoint(self) -> "Endpoint | None":
        """Where the server was last found; ``None`` before the first call and after it was lost."""
        return self._transport.endpoint if self._transport else None

    @property
    def clock(self) -> Clock:
        """The server's clock; this machine's where no server was found yet."""
        return self._transport.clock if self._transport else Clock()

    async def transport(self) -> Transport:
        """The door to the server, found or started if there is none; raises what ``Launcher.locate`` raises."""
        async with self._lock:
            if self._closed:
                raise BackendUnavailable("The bridge is ending.", sent=False)
            if self._transport is None:
                endpoint = await self._launcher.locate()
                self._transport = await self._renewed(endpoint)
            return self._transport

    async def _renewed(self, endpoint: "Endpoint") -> Transport:
        """Keep the old door if it leads there again: others may have requests under way through it."""
        lost, self._lost = self._lost, None
        if lost and lost.endpoint == endpoint:
            return lost
        if lost:
            await lost.aclose()
        return Transport(endpoint)

    async def send(self, request: "Request", *, timeout: float = READ_TIMEOUT) -> "Reply":
        """Send a request; if the server is gone, find it again and send it there, unless it may have changed something.

        Raises:
            BackendUnavailable: It cannot be found again, or it may have received the request before it went.
            BackendTimeout: It was accepted and not answered in time.
        """
        transport = await self.transport()
        try:
            return await transport.send(request, timeout=timeout)
        except BackendUnavailable as error:
            self.forget(transport)
            if error.sent and request.method != "GET":
                raise
        return await (await self.transport()).send(request, timeout=timeout)

    @asynccontextmanager
    async def stream(self, request: "Request", *, timeout: float = READ_TIMEOUT) -> "AsyncGenerator[Body]":
        """Read a reply's body as it comes; see ``Transport.stream``."""
        transport = await self.transport()
        async with transport.stream(request, timeout=timeout) as body:
            yield body

    @asynccontextmanager
    async def events(self, request: "Request", *, silence: float) -> AsyncGenerator[AsyncIterator[str]]:
        """Open a stream of server-sent events; see ``Transport.events``."""
        transport = await self.transport()
        async with transport.events(request, silence=silence) as stream:
            yield stream

    @asynccontextmanager
    async def websocket(self, request: "Request") -> AsyncGenerator["Socket"]:
        """Open a WebSocket; see ``Transport.websocket``."""
        transport = await self.transport()
        async with transport.websocket(request) as socket:
            yield socket

    def forget(self, transport: Transport) -> None:
        """Drop a door that leads nowhere, so that the next call looks again; another's renewal is left alone."""
        if self._transport is transport:
            self._transport, self._lost = None, transport

    async def aclose(self) -> None:
        """Close the connections and let go of the server; nothing is looked for or started after that."""
        self._closed = True
        with anyio.CancelScope(shield=True):
            for transport in (self._transport, self._lost):
                if transport:
                    await transport.aclose()
            await self._launcher.aclose()
