"""Serves on stdin and stdout, and ends cleanly however a host ends it: by closing stdin, or by a signal."""

import os
import signal
import sys
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from opencode_mcp.server.mcp_server import BridgeServer

SIGNALS = (signal.SIGINT, signal.SIGTERM)
LEAVE_DEADLINE = 3.0


def serve_stdio(server: "BridgeServer") -> None:
    """Speak MCP until stdin closes or a signal comes."""
    anyio.run(_serve, server)


async def _serve(server: "BridgeServer") -> None:
    async with anyio.create_task_group() as tasks:
        # Windows has no such signals: there a host closes stdin, or kills.
        if sys.platform != "win32":
            tasks.start_soon(_leave_on_signal, server)
        await server.run_stdio_async()
        tasks.cancel_scope.cancel()


async def _leave_on_signal(server: "BridgeServer") -> None:
    with anyio.open_signal_receiver(*SIGNALS) as signals:
        async for _ in signals:
            with anyio.move_on_after(LEAVE_DEADLINE, shield=True):
                await server.leave()
            # A thread waits in a read of stdin that nothing can end, and an ordinary exit would wait for the thread.
            os._exit(0)
