"""Serves on stdin and stdout, and ends cleanly however a host ends it: by closing stdin, or by a signal."""

import signal
import sys
from collections.abc import AsyncIterator
from typing import Protocol

import anyio


class StdioServer(Protocol):
    """A server that speaks on stdin and stdout."""

    async def run_stdio_async(self) -> None:
        """Serve until stdin ends."""
        ...


def serve_stdio(server: StdioServer) -> None:
    """Speak MCP until stdin closes or a signal comes."""
    anyio.run(_serve, server)


async def _serve(server: StdioServer) -> None:
    # Windows has no such signals: there a host closes stdin, or kills.
    if sys.platform == "win32":
        await server.run_stdio_async()
        return
    # Until all is let go of: a second Ctrl+C must not break into that.
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_cancel_on_signal, signals, tasks.cancel_scope)
            await server.run_stdio_async()
            tasks.cancel_scope.cancel()


async def _cancel_on_signal(signals: AsyncIterator[signal.Signals], scope: anyio.CancelScope) -> None:
    async for _ in signals:
        scope.cancel()
