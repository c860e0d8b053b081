"""A proxy in front of an OpenCode whose projects open slowly: what is asked of it is held back until it is released."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

import anyio
from anyio.abc import SocketStream

from tests.harness.faults.proxy import GONE, Proxy, serving


def of_a_project(request: bytes) -> bool:
    """Return True if a project answers a request, and not the server itself."""
    return b" /global/" not in request.split(b"\r\n", 1)[0]


class SlowProxy(Proxy):
    """A ``Proxy`` that holds back requests, and no replies. What was sent arrives, though the sender has given up."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.holds: Callable[[bytes], bool] = of_a_project
        """Returns True for the requests that are held back."""
        self.waiting = 0
        """Number of requests that are held back."""
        self._released = anyio.Event()

    def release(self) -> None:
        """Let everything through, now and later."""
        self._released.set()

    async def _pass_requests(self, client: SocketStream, server: SocketStream) -> None:
        with suppress(*GONE):
            while True:
                data = await client.receive()
                if self.holds(data) and not self._released.is_set():
                    self.waiting += 1
                    await self._released.wait()
                await server.send(data)


@asynccontextmanager
async def slow_proxy_to(target: str) -> AsyncGenerator[SlowProxy]:
    """Run one on a free port in front of a base URL until the block ends."""
    async with serving(SlowProxy(target)) as proxy:
        yield proxy
