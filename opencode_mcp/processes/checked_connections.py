"""Connections to a server that a bridge started, and to no other program at its address.

The check happens after the connection is open and before anything is sent. A server keeps its port until it ends, so
the living owner of the listening socket is the process that accepted the connection.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import anyio
import httpcore

if TYPE_CHECKING:
    from opencode_mcp.processes.identity import Process


class AnotherListener(httpcore.ConnectError):
    """Another process than the wanted one listens at its address."""


class ProcessConnections(httpcore.AsyncNetworkBackend):
    """Network backend of httpcore that connects to one process only.

    Args:
        process: The server that must accept.
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
        """Connect, and check which process accepted.

        Raises:
            AnotherListener: Another process listens.
            ConnectError: Nothing listens.
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
        raise AnotherListener(f"Another process than {self._process.pid} listens at {host}:{port}.")

    async def sleep(self, seconds: float) -> None:
        """Wait between attempts."""
        await anyio.sleep(seconds)
