"""Connection to the one OpenCode server of the bridge: found at the first call, and found again after it was lost.

It has the interface of ``Transport``, which it replaces when the server changes. It does not know what requests mean.
"""

from collections.abc import AsyncGenerator, AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import BackendTimeout, BackendUnavailable
from opencode_mcp.opencode.http_client.clock import Clock
from opencode_mcp.opencode.http_client.transport import READ_TIMEOUT_SECONDS, Body, Transport

if TYPE_CHECKING:
    from opencode_mcp.launcher.launcher import Launcher
    from opencode_mcp.opencode.http_client.codec import HttpRequest, Reply
    from opencode_mcp.opencode.http_client.directory_lists import DirectoryLists
    from opencode_mcp.opencode.http_client.endpoint import Endpoint
    from opencode_mcp.opencode.http_client.web_socket import WebSocket
    from opencode_mcp.opencode.versions import Generation


class Connection:
    """Sends requests to the server that the launcher finds.

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
        """Return the last known endpoint; ``None`` before the first call and after the server was lost."""
        return self._transport.endpoint if self._transport else None

    @property
    def has_answered(self) -> bool:
        """Return True if the present server has answered a request of the bridge, so that it has started."""
        return self._transport is not None and self._transport.has_answered

    @property
    def clock(self) -> Clock:
        """Return the server's clock; before a server was found, this machine's clock."""
        return self._transport.clock if self._transport else Clock()

    @property
    def directory_lists(self) -> "MutableMapping[str, DirectoryLists]":
        """Return the record of the current server; see ``RequestSender.directory_lists``."""
        return self._transport.directory_lists if self._transport else {}

    async def transport(self) -> Transport:
        """Return the transport to the server, which is found or started first.

        Raises:
            BridgeError: As ``Launcher.locate``, or the connection is closed.
        """
        if self._closed:
            raise BackendUnavailable("This MCP server is shutting down.", sent=False)
        return self._transport or await self._found()

    async def _found(self) -> Transport:
        """Return the transport to the server, which one of the calls that need it finds or starts."""
        async with self._lock:
            if self._closed:
                raise BackendUnavailable("This MCP server is shutting down.", sent=False)
            if self._transport is None:
                endpoint = await self._launcher.locate()
                self._transport = await self._renewed(endpoint)
            return self._transport

    async def generation(self) -> "Generation":
        """Return the generation of the server's API, which is found or started first.

        Raises:
            BridgeError: As ``transport``.
        """
        return await (await self.transport()).generation()

    async def _renewed(self, endpoint: "Endpoint") -> Transport:
        """Keep the old transport if the endpoint is the same: other requests may be under way through it."""
        lost, self._lost = self._lost, None
        if lost and lost.endpoint == endpoint:
            return lost
        if lost:
            await lost.aclose()
        return Transport(endpoint)

    async def send(
        self, request: "HttpRequest", *, timeout: float = READ_TIMEOUT_SECONDS, queued: bool = True
    ) -> "Reply":
        """Send a request. If the server is lost, find it again and repeat the request, unless it may change something.

        After a request without an answer for as long as any may take, the next one first checks that the server
        answers at all: an OpenCode that hangs accepts connections, and would let each request wait that long.

        Raises:
            BackendUnavailable: The server cannot be found again, or it may have received the request before it was
                lost.
            BackendTimeout: The server accepted the request and did not answer in time.
        """
        transport = await self.transport()
        try:
            return await transport.send(request, timeout=timeout, queued=queued)
        except BackendTimeout:
            if timeout >= READ_TIMEOUT_SECONDS:
                self.forget(transport)
            raise
        except BackendUnavailable as error:
            self.forget(transport)
            if error.sent and request.method != "GET":
                raise
        return await (await self.transport()).send(request, timeout=timeout, queued=queued)

    @asynccontextmanager
    async def stream(self, request: "HttpRequest", *, timeout: float = READ_TIMEOUT_SECONDS) -> "AsyncGenerator[Body]":
        """Read the body of a reply while it arrives; see ``Transport.stream``."""
        transport = await self.transport()
        async with transport.stream(request, timeout=timeout) as body:
            yield body

    @asynccontextmanager
    async def events(self, request: "HttpRequest", *, silence: float) -> AsyncGenerator[AsyncIterator[str]]:
        """Open a stream of server-sent events; see ``Transport.events``."""
        transport = await self.transport()
        async with transport.events(request, silence=silence) as stream:
            yield stream

    @asynccontextmanager
    async def websocket(self, request: "HttpRequest") -> AsyncGenerator["WebSocket"]:
        """Open a WebSocket; see ``Transport.websocket``."""
        transport = await self.transport()
        async with transport.websocket(request) as socket:
            yield socket

    def forget(self, transport: Transport) -> None:
        """Drop a transport that no longer works, so that the next call searches again. A newer transport is kept."""
        if self._transport is transport:
            self._transport, self._lost = None, transport

    async def aclose(self) -> None:
        """Close the connections and release the server; later calls fail."""
        self._closed = True
        with anyio.CancelScope(shield=True):
            for transport in (self._transport, self._lost):
                if transport:
                    await transport.aclose()
            await self._launcher.aclose()
