"""A TCP proxy on loopback for the faults of a wire: connections cut, held back, refused."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import TypeVar
from urllib.parse import urlsplit

import anyio
from anyio.abc import ByteStream, SocketAttribute, SocketStream

from tests.harness.failures import unwrapped

GONE = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)


class Proxy:
    """Forwards connections to ``target`` until a test changes that. Every change holds for old and new connections."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._open = set[SocketStream]()
        self._flows = _set_event()
        self._refuses = False
        self.url = ""
        """Address to connect to instead of the target."""
        self.connections = 0
        """Number of connections that were made."""
        self.held = 0
        """Number of bytes that are held back."""

    async def cut(self) -> None:
        """Drop the connections that are open now; new ones pass."""
        for stream in list(self._open):
            await anyio.aclose_forcefully(stream)

    async def refuse(self) -> None:
        """Drop the open connections, and new ones as soon as they are made, until ``accept``."""
        self._refuses = True
        await self.cut()

    def accept(self) -> None:
        """Let connections through again."""
        self._refuses = False

    def stall(self) -> None:
        """Hold all bytes back, in both directions, until ``resume``; connections stay open."""
        self._flows = anyio.Event()

    def resume(self) -> None:
        """Let the bytes held back, and all after them, go on."""
        self._flows.set()

    async def serve(self, client: SocketStream) -> None:
        """Pass one connection on."""
        self.connections += 1
        async with client:
            if self._refuses:
                await anyio.aclose_forcefully(client)
                return
            with suppress(OSError):
                async with await anyio.connect_tcp(self._host, self._port) as server:
                    self._open |= {client, server}
                    try:
                        await self._relay(client, server)
                    finally:
                        self._open -= {client, server}

    async def _relay(self, client: SocketStream, server: SocketStream) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._pass_requests, client, server)
            await self._pass_replies(server, client)
            tasks.cancel_scope.cancel()

    async def _pass_requests(self, client: SocketStream, server: SocketStream) -> None:
        await self._pass_on(client, server)

    async def _pass_replies(self, server: SocketStream, client: SocketStream) -> None:
        await self._pass_on(server, client)

    async def _pass_on(self, source: ByteStream, sink: ByteStream) -> None:
        with suppress(*GONE):
            while True:
                data = await source.receive()
                self.held += len(data)
                await self._flows.wait()
                self.held -= len(data)
                await sink.send(data)


AnyProxy = TypeVar("AnyProxy", bound=Proxy)


@asynccontextmanager
async def proxy_to(target: str) -> AsyncGenerator[Proxy]:
    """Run a proxy on a free port in front of a base URL until the block ends."""
    async with serving(Proxy(target)) as proxy:
        yield proxy


@asynccontextmanager
async def serving(proxy: AnyProxy) -> AsyncGenerator[AnyProxy]:
    """Serve a proxy of any kind on a free port until the block ends."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    with unwrapped():
        async with listener, anyio.create_task_group() as tasks:
            port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - nothing to do with Django
            proxy.url = f"http://127.0.0.1:{port}"
            tasks.start_soon(listener.serve, proxy.serve)
            yield proxy
            tasks.cancel_scope.cancel()


def _set_event() -> anyio.Event:
    event = anyio.Event()
    event.set()
    return event
