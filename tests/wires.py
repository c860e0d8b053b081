"""Faults of the connection between the bridge and OpenCode, on top of the proxy."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from anyio.lowlevel import checkpoint

from opencode_mcp.launcher.launcher import Launcher
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.settings import Settings
from tests.harness.faults.proxy import Proxy
from tests.harness.waiting import eventually


class Route(Launcher):
    """Leads to one endpoint after the other, whatever is there, and stays at the last; starts nothing."""

    def __init__(self, *endpoints: Endpoint) -> None:
        super().__init__(Settings())
        self._endpoints = list(endpoints)
        self.located = 0
        """Number of calls of ``locate``."""

    async def locate(self) -> Endpoint:  # noqa: D102 - the base class says it
        self.located += 1
        await checkpoint()  # as the real one, it gives others a turn
        return self._endpoints.pop(0) if len(self._endpoints) > 1 else self._endpoints[0]


async def holds_something(proxy: Proxy) -> None:
    """Wait until a stalled proxy holds bytes back."""

    async def look() -> int:
        return proxy.held

    await eventually(look)


async def connects(proxy: Proxy, times: int = 1) -> None:
    """Wait until so many more connections were made."""
    before = proxy.connections

    async def look() -> bool:
        return proxy.connections >= before + times

    await eventually(look)


@asynccontextmanager
async def cut_on_its_way(proxy: Proxy) -> AsyncGenerator[None]:
    """Cut the connection over which the block sends a request, after it was sent and before it could be answered."""

    async def cut() -> None:
        await holds_something(proxy)
        await proxy.cut()
        proxy.resume()

    async with anyio.create_task_group() as tasks:
        proxy.stall()
        tasks.start_soon(cut)
        yield
