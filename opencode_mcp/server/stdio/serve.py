"""Serves on stdin and stdout, and ends cleanly however a host ends it: by closing stdin, or by a signal."""

import signal
import sys
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Protocol

import anyio

if TYPE_CHECKING:
    from opencode_mcp.server.stdio.front.takeover import Takeover


class StdioServer(Protocol):
    """A server that speaks on stdin and stdout."""

    async def run_stdio_async(self) -> None:
        """Serve until stdin ends, through the SDK's own transport."""
        ...

    async def run_over(self, takeover: "Takeover") -> None:
        """Serve on the streams that the front has used until now."""
        ...


def serve_stdio(server: StdioServer, takeover: "Takeover | None") -> None:
    """Speak MCP until stdin closes or a signal comes.

    Args:
        server: The MCP server.
        takeover: Streams that the front has used before; None: the SDK opens stdin and stdout (on Windows).
    """
    anyio.run(_serve, server, takeover)


async def _serve(server: StdioServer, takeover: "Takeover | None") -> None:
    # Windows has no such signals: there a host closes stdin, or kills.
    if sys.platform == "win32" or takeover is None:
        await server.run_stdio_async()
        return
    # Until all is let go of: a second Ctrl+C must not break into that.
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_cancel_on_signal, signals, tasks.cancel_scope)
            await server.run_over(takeover)
            tasks.cancel_scope.cancel()


async def _cancel_on_signal(signals: AsyncIterator[signal.Signals], scope: anyio.CancelScope) -> None:
    async for _ in signals:
        scope.cancel()
