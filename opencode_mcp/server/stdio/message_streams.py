"""MCP's stdio transport on the event loop: a JSON-RPC message a line, read from one descriptor and written to another.

The SDK's own reads and writes in threads. Nothing can end such a read, which holds up Ctrl+C and the exit, and every
change of thread costs each call time. Windows cannot wait for its pipes, so there the SDK's transport serves.
"""

import logging
import os
import stat
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol, TypeAlias

import anyio
import anyio.lowlevel
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCNotification, JSONRPCRequest, jsonrpc_message_adapter

from opencode_mcp.server.stdio.batches import Batches
from opencode_mcp.server.stdio.descriptors import CHUNK, ROOM, has_room
from opencode_mcp.server.stdio.front.ledger import Ledger
from opencode_mcp.server.stdio.front.takeover import Takeover
from opencode_mcp.server.stdio.incoming import read_line
from opencode_mcp.server.stdio.outgoing import line_of

logger = logging.getLogger(__name__)

Received: TypeAlias = SessionMessage | Exception
"""What the SDK takes from a stream; ours gives messages alone, since a line that is none is answered here."""


def streams_from(takeover: Takeover) -> tuple["MessageReader", "MessageWriter"]:
    """Go on where the front has stopped."""
    ledger = Ledger(takeover)
    writer = MessageWriter(takeover.target, unsent=takeover.unsent, ledger=ledger)
    for result in takeover.given.values():
        writer.batches.note_protocol({"result": result})
    received = bytearray(takeover.received)
    reader = MessageReader(takeover.source, writer, received=received, ended=takeover.ended, ledger=ledger)
    return reader, writer


class MessageReader(ObjectReceiveStream[Received]):
    """The messages of a host; a receive that is cancelled takes nothing with it.

    Args:
        descriptor: Open for reading. It stays open.
        writer: Answers the lines that are no messages.
        received: Bytes that were read already.
        ended: Whether nothing follows them.
        ledger: Takes each message.
    """

    def __init__(
        self,
        descriptor: int,
        writer: "MessageWriter",
        *,
        received: bytearray | None = None,
        ended: bool = False,
        ledger: Ledger | None = None,
    ) -> None:
        self._descriptor = descriptor
        self._writer = writer
        self._ended = ended
        self._ledger = ledger
        self._ready: deque[SessionMessage] = deque()
        """Messages that came in one line with another."""
        self._waits = _can_wait(descriptor)
        self._buffer = received or bytearray()

    async def receive(self) -> Received:
        """The next message.

        Raises:
            anyio.EndOfStream: The host closed its end.
        """
        while not self._ready:
            await self._take(await self._line())
        return self._ready.popleft()

    async def _take(self, text: str) -> None:
        """Make a line's messages ready, and answer what is none."""
        batches = self._writer.batches
        line = read_line(text, batches=batches.allowed)
        self._ready += map(SessionMessage, line.messages)
        for message in line.messages:
            if self._ledger and isinstance(message, JSONRPCRequest):
                # Not a dump, which would copy the parameters of each request.
                self._ledger.note({"id": message.id, "method": message.method, "params": message.params})
            if isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled":
                batches.forget((message.params or {}).get("requestId"))
        if line.is_batch:
            batches.begin(line)
        for reply in line.replies:
            logger.info("the host sent a line that is not a message: %s", reply.error.message)
        # A host that does not listen any more may still send.
        with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
            await self._writer.answer([] if line.is_batch else line.replies)

    async def _line(self) -> str:
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if not await self._fill():
                end = searched
                break
        if not self._buffer:
            raise anyio.EndOfStream
        line = self._buffer[:end].decode(errors="replace")
        del self._buffer[: end + 1]
        return line

    async def _fill(self) -> bool:
        """Read what there is; whether there was anything."""
        while not self._ended:
            if self._waits:
                await anyio.wait_readable(self._descriptor)
            else:
                await anyio.lowlevel.checkpoint()
            try:
                data = os.read(self._descriptor, CHUNK)
            except BlockingIOError:
                # Somebody who shares a non-blocking descriptor was faster.
                continue
            except OSError:
                # How a socket or a terminal says that its other end died.
                return False
            self._buffer += data
            return bool(data)
        return False

    async def aclose(self) -> None:
        """Nothing: the descriptor lives as long as the process."""


class MessageWriter(ObjectSendStream[SessionMessage]):
    """Messages to a host; one whose sender is cancelled meanwhile is written on before the next.

    Args:
        descriptor: Open for writing. It stays open.
        unsent: The end of earlier messages, which goes before all others.
        ledger: Takes each message.
    """

    def __init__(self, descriptor: int, *, unsent: bytes = b"", ledger: Ledger | None = None) -> None:
        self._descriptor = descriptor
        self._ledger = ledger
        self._waits = _can_wait(descriptor)
        self._buffer = bytearray(unsent)
        """What is left of the message under way."""
        self._turn = anyio.Lock(fast_acquire=True)
        self._closed = False
        self.batches = Batches()
        """Those whose answers are held back until they are complete."""

    async def send(self, item: SessionMessage) -> None:
        """Write a message.

        Raises:
            anyio.ClosedResourceError: The connection has ended.
            anyio.BrokenResourceError: The host closed its end.
        """
        if self._closed:
            raise anyio.ClosedResourceError
        data = item.message.model_dump(by_alias=True, exclude_unset=True)
        if self._ledger and self._ledger.drops(data):
            # The response that was given in its place may not be written yet.
            await self._write(b"")
            return
        for message in self.batches.outgoing(data):
            await self._write(line_of(message))
        if self._ledger:
            self._ledger.save(data)

    async def answer(self, replies: Sequence[JSONRPCError]) -> None:
        """Send error replies, and the batches that wait for nothing any more; raises what ``send`` does."""
        for reply in replies:
            await self.send(SessionMessage(reply))
        for batch in self.batches.complete():
            await self._write(line_of(batch))

    async def _write(self, line: bytes) -> None:
        async with self._turn:
            try:
                await self._flush()
                self._buffer += line
                await self._flush()
            except OSError as error:
                raise anyio.BrokenResourceError from error

    async def _flush(self) -> None:
        while self._buffer:
            # A host that reads late must hold up its own messages, and not the bridge.
            if self._waits and not has_room(self._descriptor):
                await anyio.wait_writable(self._descriptor)
            try:
                written = os.write(self._descriptor, self._buffer[:ROOM])
            except BlockingIOError:
                continue
            del self._buffer[:written]

    async def aclose(self) -> None:
        """Refuse what comes later."""
        self._closed = True


def _can_wait(descriptor: int) -> bool:
    """Whether an event loop can wait for it: it refuses files and devices, which are always ready."""
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)


class Sink(Protocol):
    """The part of a stream of the SDK's that is needed."""

    async def send(self, item: SessionMessage, /) -> None:
        """Send a message."""
        ...

    async def aclose(self) -> None:
        """Close the stream."""
        ...


class CheckedWriter(ObjectSendStream[SessionMessage]):
    """Passes messages on to a stream of the SDK's, in the form that ``MessageWriter`` would give them.

    Args:
        stream: Writes them.
    """

    def __init__(self, stream: Sink) -> None:
        self._stream = stream

    async def send(self, item: SessionMessage) -> None:
        """Pass a message on; raises what the stream does."""
        line = line_of(item.message.model_dump(by_alias=True, exclude_unset=True))
        message = jsonrpc_message_adapter.validate_json(line, by_name=False)
        await self._stream.send(SessionMessage(message, metadata=item.metadata))

    async def aclose(self) -> None:
        """Close the stream."""
        await self._stream.aclose()
