"""Serve on stdin and stdout, and end cleanly when the host closes stdin or sends a signal."""

import signal
import sys
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Protocol

import anyio

if TYPE_CHECKING:
    from opencode_mcp.server.stdio.front.takeover import Takeover


class StdioServer(Protocol):
    """Server that can serve on stdin and stdout."""

    async def run_stdio_async(self) -> None:
        """Serve until stdin ends, through the SDK's own transport."""
        ...

    async def run_over(self, takeover: "Takeover") -> None:
        """Serve on the streams that the front has used until now."""
        ...


def serve_stdio(server: StdioServer, takeover: "Takeover | None") -> None:
    """Serve until stdin closes or a signal arrives.

    Args:
        server: The MCP server.
        takeover: Streams that the front has used before; None: the SDK opens stdin and stdout (on Windows).
    """
    anyio.run(_serve, server, takeover)


async def _serve(server: StdioServer, takeover: "Takeover | None") -> None:
    # Windows has no such signals: there a host closes stdin, or kills the process.
    if sys.platform == "win32" or takeover is None:
        await server.run_stdio_async()
        return
    # Until the shutdown is complete, so that a second Ctrl+C does not interrupt it.
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_cancel_on_signal, signals, tasks.cancel_scope)
            await server.run_over(takeover)
            tasks.cancel_scope.cancel()


async def _cancel_on_signal(signals: AsyncIterator[signal.Signals], scope: anyio.CancelScope) -> None:
    async for _ in signals:
        scope.cancel()
