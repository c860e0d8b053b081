"""Calls of single operations by their ids, which the adapters of both generations are made of."""

from collections.abc import AsyncIterator, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol, TypedDict, Unpack

from opencode_mcp.opencode.http_client.codec import decode, encode
from opencode_mcp.opencode.http_client.transport import READ_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from opencode_mcp.opencode.http_client.clock import Clock
    from opencode_mcp.opencode.http_client.codec import HttpRequest, Reply
    from opencode_mcp.opencode.http_client.directory_lists import DirectoryLists
    from opencode_mcp.opencode.http_client.transport import Body
    from opencode_mcp.opencode.tables.operation_table import OperationTable
    from opencode_mcp.opencode.versions import Generation
    from opencode_mcp.text.json_types import JsonObject


class CallArguments(TypedDict, total=False):
    """Named arguments of ``OperationCaller.call``: those of ``codec.encode`` and of ``Transport.send``."""

    path: Mapping[str, str] | None
    query: "JsonObject | None"
    body: object
    directory: str
    timeout: float
    queued: bool


class RequestSender(Protocol):
    """Object that carries requests: a ``Transport``, or a ``Connection`` that finds one."""

    @property
    def clock(self) -> "Clock":
        """Return the server's clock."""
        ...

    @property
    def directory_lists(self) -> "MutableMapping[str, DirectoryLists]":
        """Return what is known of the lists of each directory of the server.

        OpenCode 2 answers with empty lists of agents and models while it opens a directory. The sender has this record
        because it holds for one server: all clients of the server share it, and another server begins with none.
        """
        ...

    async def generation(self) -> "Generation":
        """Return the generation of the server's API; a connection finds the server first."""
        ...

    async def send(
        self, request: "HttpRequest", *, timeout: float = READ_TIMEOUT_SECONDS, queued: bool = True
    ) -> "Reply":
        """Send a request and read its whole reply; see ``Transport.send``."""
        ...

    def stream(
        self, request: "HttpRequest", *, timeout: float = READ_TIMEOUT_SECONDS
    ) -> "AbstractAsyncContextManager[Body]":
        """Send a request and read the body of its reply while it arrives."""
        ...

    def events(self, request: "HttpRequest", *, silence: float) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """Open a stream of server-sent events."""
        ...


class OperationCaller:
    """Calls operations of one generation's table.

    Args:
        sender: Carries the requests.
        table: The operations.
    """

    def __init__(self, sender: RequestSender, table: "OperationTable") -> None:
        self._sender = sender
        self._table = table

    async def call(self, operation_id: str, **arguments: "Unpack[CallArguments]") -> object:
        """Call any operation, and return what ``codec.decode`` returns."""
        row = self._table.operation(operation_id)
        request = encode(
            row,
            path=arguments.get("path"),
            query=arguments.get("query"),
            body=arguments.get("body"),
            directory=arguments.get("directory", ""),
        )
        seconds, queued = arguments.get("timeout", READ_TIMEOUT_SECONDS), arguments.get("queued", True)
        return decode(row, await self._sender.send(request, timeout=seconds, queued=queued))
