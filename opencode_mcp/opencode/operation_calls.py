"""Call any operation of the table with arguments that were validated and sorted into path, query and body.

``client.py`` has the calls that the bridge itself needs; this module makes the calls that callers choose. It keeps the
cursor of the next page, and compares the server's own OpenAPI document with the table once.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

import anyio

from opencode_mcp.errors import BridgeError
from opencode_mcp.opencode.client import RequestSender
from opencode_mcp.opencode.codec import Request, decode, encode
from opencode_mcp.opencode.operations.arguments import Call
from opencode_mcp.opencode.operations.catalog import Operation
from opencode_mcp.opencode.operations.server_document import Differences, differences
from opencode_mcp.opencode.terminal import Opener, Output, Visit, visit
from opencode_mcp.opencode.transport import READ_TIMEOUT_SECONDS, Transport
from opencode_mcp.text.json_text import read_json

logger = logging.getLogger(__name__)

DOCUMENT = Request(method="GET", path="/doc")
# OpenCode sends a heartbeat every 10 s; the streams of the v2 API send nothing before their first event.
SILENCE_SECONDS = 22.0


class Answer(NamedTuple):
    """Answer of OpenCode to an operation."""

    value: object
    """Value that ``codec.decode`` returns."""
    cursor: str = ""
    """Cursor of the next page; empty if there is none, or if the value itself contains it."""


class Connection(RequestSender, Opener, Protocol):
    """Connection to the server that was found: ``launcher.connection.Connection``."""

    async def transport(self) -> Transport:
        """Find or start the server."""
        ...


class OperationCalls:
    """Calls operations on the server of a connection.

    Args:
        connection: Connection to OpenCode.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._compared: Transport | None = None
        self._differences = Differences()
        self._lock = anyio.Lock()

    async def check(self, operation: Operation) -> str:
        """Return how this server's operation differs from the table's; empty if it does not or is unknown.

        Raises:
            UnsupportedOperation: The server has no such operation.
            BridgeError: OpenCode cannot be reached.
        """
        transport = await self._connection.transport()
        async with self._lock:
            if self._compared is not transport:
                self._differences = await _compare(transport)
                self._compared = transport
        return self._differences.check(operation)

    def known_change(self, operation: Operation) -> str:
        """Return the same difference as far as it is known, without a request to the server."""
        return self._differences.changed.get(operation.id, "")

    async def send(
        self, operation: Operation, call: Call, *, timeout: float = READ_TIMEOUT_SECONDS, queued: bool = True
    ) -> Answer:
        """Call an operation that answers once.

        Args:
            operation: The row of the table.
            call: Arguments as ``arguments.split`` returns them.
            timeout: Seconds that OpenCode may take to answer.
            queued: Whether the request waits while many others are under way; see ``Transport.send``.

        Raises:
            BridgeError: As ``codec.decode`` and the sender.
        """
        reply = await self._connection.send(request_of(operation, call), timeout=timeout, queued=queued)
        return Answer(decode(operation, reply), reply.headers.get("x-next-cursor", ""))

    def events(self, operation: Operation, call: Call) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """Open the event stream of an operation."""
        return self._connection.events(request_of(operation, call), silence=SILENCE_SECONDS)

    async def visit(self, operation: Operation, call: Call, plan: Visit) -> Output:
        """Use a terminal once; see ``terminal.visit``."""
        return await visit(self._connection, request_of(operation, call), plan)


def request_of(operation: Operation, call: Call) -> Request:
    """Encode a call as a request."""
    return encode(operation, path=call.path, query=call.query, body=call.body, directory=call.directory)


async def _compare(transport: Transport) -> Differences:
    try:
        reply = await transport.send(DOCUMENT)
        if reply.media_type != "application/json":
            return Differences()
        return differences(read_json(reply.body))
    except (BridgeError, ValueError) as error:
        logger.info("OpenCode's own document cannot be read: %s", error)
        return Differences()
