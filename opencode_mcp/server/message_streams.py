"""MCP's stdio transport on the event loop: a JSON-RPC message a line, read from one descriptor and written to another.

The SDK's own reads and writes in threads. Nothing can end such a read, which holds up Ctrl+C and the exit, and every
change of thread costs each call time. Windows cannot wait for its pipes, so there the SDK's transport serves.
"""

import os
import select
import stat
import sys
from typing import TypeAlias

import anyio
import anyio.lowlevel
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

STDIN, STDOUT, STDERR = range(3)
CHUNK = 64 * 1024
"""Bytes that are read at once."""
ROOM = 512 if sys.platform == "win32" else select.PIPE_BUF
"""Bytes that never block where anything has room."""

Received: TypeAlias = SessionMessage | Exception
"""A message, or what is wrong with a line that is none."""


def claim_stdio() -> tuple["MessageReader", "MessageWriter"]:
    """Take stdin and stdout for MCP alone.

    From then on whatever else reads stdin finds its end, and whatever else prints to stdout prints to stderr: a stray
    line would break the protocol, and a child must not take the host's messages.
    """
    streams = MessageReader(os.dup(STDIN)), MessageWriter(os.dup(STDOUT))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, STDIN)
    os.close(nothing)
    os.dup2(STDERR, STDOUT)
    return streams


class MessageReader(ObjectReceiveStream[Received]):
    """The messages of a host; a receive that is cancelled takes nothing with it.

    Args:
        descriptor: Open for reading. It stays open.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._waits = _can_wait(descriptor)
        self._buffer = bytearray()

    async def receive(self) -> Received:
        """The next message, or what is wrong with the next line.

        Raises:
            anyio.EndOfStream: The host closed its end.
        """
        line = await self._line()
        try:
            return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
        except ValueError as error:
            return error

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
        while True:
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

    async def aclose(self) -> None:
        """Nothing: the descriptor lives as long as the process."""


class MessageWriter(ObjectSendStream[SessionMessage]):
    """Messages to a host; one whose sender is cancelled meanwhile is written on before the next.

    Args:
        descriptor: Open for writing. It stays open.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._waits = _can_wait(descriptor)
        self._buffer = bytearray()
        """What is left of the message under way."""
        self._turn = anyio.Lock(fast_acquire=True)
        self._closed = False

    async def send(self, item: SessionMessage) -> None:
        """Write a message.

        Raises:
            anyio.ClosedResourceError: The connection has ended.
            anyio.BrokenResourceError: The host closed its end.
        """
        if self._closed:
            raise anyio.ClosedResourceError
        line = item.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"
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
            if self._waits and not self._has_room():
                await anyio.wait_writable(self._descriptor)
            try:
                written = os.write(self._descriptor, self._buffer[:ROOM])
            except BlockingIOError:
                continue
            del self._buffer[:written]

    def _has_room(self) -> bool:
        return bool(select.select([], [self._descriptor], [], 0)[1])

    async def aclose(self) -> None:
        """Refuse what comes later."""
        self._closed = True


def _can_wait(descriptor: int) -> bool:
    """Whether an event loop can wait for it: it refuses files and devices, which are always ready."""
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)
