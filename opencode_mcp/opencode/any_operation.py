"""Call any operation of the table with arguments that were validated and sorted into path, query and body.

``client.py`` has the calls that the bridge itself needs; this module makes the calls that callers choose. It keeps the
cursor of the next page, and compares the own OpenAPI document of an OpenCode 1 with the table once.

No call waits for that document: OpenCode needs seconds to write its 480 KB on a busy machine. A route that the server
lacks is recognised by its reply, a web page. The document is read after a call, for those that follow; a server of the
table's own version is not asked for it.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

import anyio

from opencode_mcp.errors import BridgeError
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.codec import HttpRequest, decode, encode
from opencode_mcp.opencode.http_client.terminal import Opener, TerminalInput, TerminalOutput, use_terminal
from opencode_mcp.opencode.http_client.transport import READ_TIMEOUT_SECONDS, Transport
from opencode_mcp.opencode.operation_caller import RequestSender
from opencode_mcp.opencode.operation_catalog.arguments import SplitArguments
from opencode_mcp.opencode.tables.operation_table import Operation
from opencode_mcp.opencode.v1.event_parser import is_noise
from opencode_mcp.opencode.v1.server_document import Differences, differences
from opencode_mcp.opencode.v1.table import TABLE
from opencode_mcp.text.json_text import read_json

logger = logging.getLogger(__name__)

DOCUMENT = HttpRequest(method="GET", path="/doc")
# OpenCode sends a heartbeat every 10 s; the streams of the v2 API send nothing before their first event.
SILENCE_SECONDS = 22.0


class OperationReply(NamedTuple):
    """Answer of OpenCode to an operation."""

    value: object
    """Value that ``codec.decode`` returns."""
    cursor: str = ""
    """Cursor of the next page; empty if there is none, or if the value itself contains it."""


class OperationConnection(RequestSender, Opener, Protocol):
    """Connection to the server that was found: ``launcher.connection.Connection``."""

    async def transport(self) -> Transport:
        """Find or start the server."""
        ...


class OperationCalls:
    """Calls operations on the server of a connection.

    Args:
        connection: Connection to OpenCode.
    """

    def __init__(self, connection: OperationConnection) -> None:
        self._connection = connection
        self._compared: Transport | None = None
        self._differences = Differences()
        self._lock = anyio.Lock()

    def check(self, operation: Operation) -> str:
        """Return how the server's operation differs from the table's; empty if it does not, or that is not learned yet.

        Raises:
            UnsupportedOperation: The server's document has no such operation.
        """
        return self._differences_of(operation).check(operation)

    def known_change(self, operation: Operation) -> str:
        """Return the same difference, also of an operation that the server may lack."""
        return self._differences_of(operation).changed.get(operation.id, "")

    def _differences_of(self, operation: Operation) -> Differences:
        # OpenCode 2 serves no document of its operations.
        return self._differences if operation.generation == TABLE.generation else Differences()

    async def learn(self) -> None:
        """Compare the server with the table, once for each server (``global.health``, ``GET /doc``).

        A document that cannot be read counts as one without differences; where there is no server, nothing is learned.
        """
        async with self._lock:
            try:
                transport = await self._connection.transport()
            except BridgeError as error:
                logger.info("OpenCode is not there to be compared with the table: %s", error)
                return
            if self._compared is not transport:
                self._differences = await _compare(transport)
                self._compared = transport

    async def send(
        self, operation: Operation, call: SplitArguments, *, timeout: float = READ_TIMEOUT_SECONDS, queued: bool = True
    ) -> OperationReply:
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
        return OperationReply(decode(operation, reply), reply.headers.get("x-next-cursor", ""))

    def events(self, operation: Operation, call: SplitArguments) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """Open the event stream of an operation."""
        return self._connection.events(request_of(operation, call), silence=SILENCE_SECONDS)

    @staticmethod
    def is_noise(data: str) -> bool:
        """Return True if a line of an event stream is a second copy of an event, as OpenCode 1 sends them."""
        return is_noise(data)

    async def use_terminal(self, operation: Operation, call: SplitArguments, plan: TerminalInput) -> TerminalOutput:
        """Use a terminal once; see ``terminal.use_terminal``."""
        return await use_terminal(self._connection, request_of(operation, call), plan)


def request_of(operation: Operation, call: SplitArguments) -> HttpRequest:
    """Encode a call as a request."""
    return encode(operation, path=call.path, query=call.query, body=call.body, directory=call.directory)


async def _compare(transport: Transport) -> Differences:
    if transport.endpoint.generation != TABLE.generation or await _version(transport) == TABLE.version:
        return Differences()
    try:
        reply = await transport.send(DOCUMENT)
        if reply.media_type != "application/json":
            return Differences()
        return differences(read_json(reply.body))
    except (BridgeError, ValueError) as error:
        logger.info("OpenCode's own document cannot be read: %s", error)
        return Differences()


async def _version(transport: Transport) -> str:
    """Read the server's version; empty where it does not say."""
    try:
        return (await OpenCodeClient(transport).health()).version
    except BridgeError as error:
        logger.info("OpenCode does not say its version: %s", error)
        return ""
