"""Calls of single operations by their ids, which the adapters of both generations are made of."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

from opencode_mcp.opencode.codec import decode, encode
from opencode_mcp.opencode.transport import READ_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from opencode_mcp.opencode.clock import Clock
    from opencode_mcp.opencode.codec import Reply, Request
    from opencode_mcp.opencode.operation_table import OperationTable
    from opencode_mcp.opencode.transport import Body
    from opencode_mcp.opencode.versions import Generation
    from opencode_mcp.text.json_types import JsonObject


class RequestSender(Protocol):
    """Object that carries requests: a ``Transport``, or a ``Connection`` that finds one."""

    @property
    def clock(self) -> "Clock":
        """Return the server's clock."""
        ...

    async def generation(self) -> "Generation":
        """Return the generation of the server's API; a connection finds the server first."""
        ...

    async def send(self, request: "Request", *, timeout: float = READ_TIMEOUT_SECONDS, queued: bool = True) -> "Reply":
        """Send a request and read its whole reply; see ``Transport.send``."""
        ...

    def stream(
        self, request: "Request", *, timeout: float = READ_TIMEOUT_SECONDS
    ) -> "AbstractAsyncContextManager[Body]":
        """Send a request and read the body of its reply while it arrives."""
        ...

    def events(self, request: "Request", *, silence: float) -> AbstractAsyncContextManager[AsyncIterator[str]]:
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

    async def call(
        self,
        operation_id: str,
        *,
        path: Mapping[str, str] | None = None,
        query: "JsonObject | None" = None,
        body: object = None,
        directory: str = "",
        timeout: float = READ_TIMEOUT_SECONDS,
        queued: bool = True,
    ) -> object:
        """Call any operation. The arguments are those of ``codec.encode`` and ``Transport.send``."""
        row = self._table.operation(operation_id)
        request = encode(row, path=path, query=query, body=body, directory=directory)
        return decode(row, await self._sender.send(request, timeout=timeout, queued=queued))
