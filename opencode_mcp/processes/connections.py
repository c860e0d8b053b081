"""Connects to a server that a bridge started, and to nobody else who listens at its address.

The check comes after the connection stands and before anything is sent. A server takes its port once and keeps it until
it ends; so whoever owns the listening socket now, and lives, is who took the connection.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import anyio
import httpcore

if TYPE_CHECKING:
    from opencode_mcp.processes.identity import Process


class ProcessConnections(httpcore.AsyncNetworkBackend):
    """What httpcore connects with.

    Args:
        process: The server that must answer.
    """

    def __init__(self, process: "Process") -> None:
        self._process = process
        self._network = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect, and make sure of who answers.

        Raises:
            ConnectError: Nobody listens there, or somebody else does.
        """
        stream = await self._network.connect_tcp(host, port, timeout, local_address, socket_options)
        try:
            if await self._process.listens(host, port):
                return stream
        except BaseException:
            with anyio.CancelScope(shield=True):
                await stream.aclose()
            raise
        await stream.aclose()
        raise httpcore.ConnectError(f"Process {self._process.pid} does not listen at {host}:{port}.")

    async def sleep(self, seconds: float) -> None:
        """Wait between tries."""
        await anyio.sleep(seconds)
