"""A proxy that also loses events: it forwards some chunks of an event stream and drops others."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

from anyio.abc import ByteStream, SocketStream

from tests.harness.faults.proxy import GONE, Proxy, serving

HEAD_LIMIT = 4096


class LossyProxy(Proxy):
    """A ``Proxy`` whose ``loses`` says of each event whether it is lost."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.loses: Callable[[], bool] = lambda: False
        self.lost = 0
        """Number of events that were lost."""

    async def _pass_replies(self, server: SocketStream, client: SocketStream) -> None:
        with suppress(*GONE):
            while True:
                data = await server.receive()
                await self._flows.wait()
                if data.startswith(b"HTTP/1.1 200") and b"text/event-stream" in data[:HEAD_LIMIT]:
                    head, _, body = data.partition(b"\r\n\r\n")
                    await client.send(head + b"\r\n\r\n")
                    await self._pass_chunks(body, server, client)
                else:
                    await client.send(data)

    async def _pass_chunks(self, body: bytes, source: ByteStream, sink: ByteStream) -> None:
        """Pass on whole chunks; OpenCode puts each event into one. The stream ends with its connection."""
        while True:
            while (chunk := _first_chunk(body)) is not None:
                body = body[len(chunk) :]
                await self._flows.wait()
                if self.loses():
                    self.lost += 1
                else:
                    await sink.send(chunk)
            body += await source.receive()


def _first_chunk(body: bytes) -> bytes | None:
    """The first chunk of a chunked body with its size and its end; none while it is not whole."""
    size, found, _ = body.partition(b"\r\n")
    if not found:
        return None
    end = len(size) + 2 + int(size, 16) + 2
    return body[:end] if len(body) >= end else None


@asynccontextmanager
async def lossy_proxy_to(target: str) -> AsyncGenerator[LossyProxy]:
    """Run one on a free port in front of a base URL until the block ends."""
    async with serving(LossyProxy(target)) as proxy:
        yield proxy
