"""MCP's stdio transport on the event loop: one JSON-RPC message per line, on one descriptor for each direction.

The SDK's own transport reads and writes in threads. Such a read cannot be cancelled, which delays Ctrl+C and the exit,
and each change of threads costs time in every call. Windows cannot wait for its pipes, so it uses the SDK's transport.
"""

import logging
import os
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol, TypeAlias

import anyio
import anyio.lowlevel
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCMessage, JSONRPCNotification, JSONRPCRequest, jsonrpc_message_adapter

from opencode_mcp.server.stdio.descriptors import CHUNK, ROOM, can_wait, has_room
from opencode_mcp.server.stdio.front.answered_requests import AnsweredRequests
from opencode_mcp.server.stdio.front.takeover import Takeover
from opencode_mcp.server.stdio.json_rpc_batches import Batches
from opencode_mcp.server.stdio.line_parsing import read_line
from opencode_mcp.server.stdio.line_writing import line_of

logger = logging.getLogger(__name__)

IncomingMessage: TypeAlias = SessionMessage | Exception
"""Type that the SDK takes from a stream. Ours yields only messages, since other lines are answered here."""


def streams_from(takeover: Takeover) -> tuple["MessageReader", "MessageWriter"]:
    """Return streams that continue where the front has stopped."""
    answered = AnsweredRequests(takeover)
    writer = MessageWriter(takeover.target, unsent=takeover.unsent, answered=answered)
    for result in takeover.given.values():
        writer.batches.note_protocol({"result": result})
    received = bytearray(takeover.received)
    reader = MessageReader(takeover.source, writer, received=received, ended=takeover.ended, answered=answered)
    return reader, writer


class MessageReader(ObjectReceiveStream[IncomingMessage]):
    """Messages of a host; a cancelled receive loses none.

    Args:
        descriptor: Descriptor that is open for reading. It stays open.
        writer: Answers the lines that are no messages.
        received: Bytes that the front has read.
        ended: Whether the host has closed its end after them.
        answered: Records requests and responses.
    """

    def __init__(
        self,
        descriptor: int,
        writer: "MessageWriter",
        *,
        received: bytearray | None = None,
        ended: bool = False,
        answered: AnsweredRequests | None = None,
    ) -> None:
        self._descriptor = descriptor
        self._writer = writer
        self._ended = ended
        self._answered = answered
        self._ready: deque[SessionMessage] = deque()
        """Further messages of a line with several."""
        self._waits = can_wait(descriptor)
        self._buffer = received or bytearray()

    async def receive(self) -> IncomingMessage:
        """Return the next message.

        Raises:
            anyio.EndOfStream: The host closed its end.
        """
        while not self._ready:
            await self._take(await self._line())
        return self._ready.popleft()

    async def _take(self, text: str) -> None:
        """Queue the messages of a line, and answer values that are none."""
        batches = self._writer.batches
        line = read_line(text, batches=batches.allowed)
        self._ready += map(SessionMessage, line.messages)
        for message in line.messages:
            self._note(message)
        if line.is_batch:
            batches.begin(line)
        for reply in line.replies:
            logger.info("the host sent a line that is not a message: %s", reply.error.message)
        # A host that does not read any more may still send.
        with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
            await self._writer.answer([] if line.is_batch else line.replies)

    def _note(self, message: JSONRPCMessage) -> None:
        """Tell the answered of a request, and the batches of a cancellation."""
        if self._answered and isinstance(message, JSONRPCRequest):
            # Not ``model_dump``, which would copy the parameters of each request.
            self._answered.note({"id": message.id, "method": message.method, "params": message.params})
        if isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled":
            self._writer.batches.forget((message.params or {}).get("requestId"))

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
        """Read the available bytes; return False at the end."""
        while not self._ended:
            if self._waits:
                await anyio.wait_readable(self._descriptor)
            else:
                await anyio.lowlevel.checkpoint()
            try:
                data = os.read(self._descriptor, CHUNK)
            except BlockingIOError:
                # Another process that shares a non-blocking descriptor was faster.
                continue
            except OSError:
                # A socket or a terminal whose other end is gone.
                return False
            self._buffer += data
            return bool(data)
        return False

    async def aclose(self) -> None:
        """Do nothing: the descriptor stays open as long as the process lives."""


class MessageWriter(ObjectSendStream[SessionMessage]):
    """Messages to a host; if a sender is cancelled, the rest of its message is written before the next one.

    Args:
        descriptor: Descriptor that is open for writing. It stays open.
        unsent: Rest of earlier messages, which is written first.
        answered: Records requests and responses.
    """

    def __init__(self, descriptor: int, *, unsent: bytes = b"", answered: AnsweredRequests | None = None) -> None:
        self._descriptor = descriptor
        self._answered = answered
        self._waits = can_wait(descriptor)
        self._buffer = bytearray(unsent)
        """Rest of the message that is being written."""
        self._turn = anyio.Lock(fast_acquire=True)
        self._closed = False
        self.batches = Batches()
        """Batches whose responses are held back until they are complete."""

    async def send(self, item: SessionMessage) -> None:
        """Write a message.

        Raises:
            anyio.ClosedResourceError: The connection has ended.
            anyio.BrokenResourceError: The host closed its end.
        """
        if self._closed:
            raise anyio.ClosedResourceError
        data = item.message.model_dump(by_alias=True, exclude_unset=True)
        if self._answered and self._answered.drops(data):
            # The front's response may not be written completely yet.
            await self._write(b"")
            return
        for message in self.batches.outgoing(data):
            await self._write(line_of(message))
        if self._answered:
            self._answered.save(data)

    async def answer(self, replies: Sequence[JSONRPCError]) -> None:
        """Send error responses, and the batches that are complete; raises as ``send``."""
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
            # A host that reads late must delay only its own messages, and not the bridge.
            if self._waits and not has_room(self._descriptor):
                await anyio.wait_writable(self._descriptor)
            try:
                written = os.write(self._descriptor, self._buffer[:ROOM])
            except BlockingIOError:
                continue
            del self._buffer[:written]

    async def aclose(self) -> None:
        """Refuse later messages."""
        self._closed = True


class Sink(Protocol):
    """Part of the SDK's stream that is needed."""

    async def send(self, item: SessionMessage, /) -> None:
        """Send a message."""
        ...

    async def aclose(self) -> None:
        """Close the stream."""
        ...


class CheckedWriter(ObjectSendStream[SessionMessage]):
    """Passes messages on to a stream of the SDK, in the form in which ``MessageWriter`` writes them.

    Args:
        stream: Writes them.
    """

    def __init__(self, stream: Sink) -> None:
        self._stream = stream

    async def send(self, item: SessionMessage) -> None:
        """Pass a message on; raises as the stream."""
        line = line_of(item.message.model_dump(by_alias=True, exclude_unset=True))
        message = jsonrpc_message_adapter.validate_json(line, by_name=False)
        await self._stream.send(SessionMessage(message, metadata=item.metadata))

    async def aclose(self) -> None:
        """Close the stream."""
        await self._stream.aclose()
