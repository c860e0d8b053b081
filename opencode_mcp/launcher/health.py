"""Asks a server how it does: whether it is an OpenCode that answers, and whether it works on something.

It opens its own connections and closes them, and neither starts nor stops anything.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import BackendTimeout, BridgeError, UnsupportedVersion
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.transport import Transport

if TYPE_CHECKING:
    from opencode_mcp.opencode.endpoint import Endpoint
    from opencode_mcp.opencode.models import Health

FIRST_TIMEOUT = 0.25
LONGEST_TIMEOUT = 1.0
PAUSE = 0.05
STATUS_TIMEOUT = 1.0
RECENT_SESSIONS = 100


@asynccontextmanager
async def connected(endpoint: "Endpoint") -> AsyncGenerator[OpenCodeClient]:
    """A client for the length of the block."""
    transport = Transport(endpoint)
    try:
        yield OpenCodeClient(transport)
    finally:
        with anyio.CancelScope(shield=True):
            await transport.aclose()


async def check(endpoint: "Endpoint", *, timeouts: Sequence[float]) -> "Health":
    """Ask once for each time-out, in seconds, until there is an answer (``global.health``).

    Raises:
        UnsupportedVersion: It is too old.
        NotOpenCode: Something else answers there.
        Unauthorized: It refused the password.
        BackendUnavailable: Nothing answers there.
        BackendTimeout: None of the requests was answered.
    """
    *others, last = timeouts
    async with connected(endpoint) as client:
        for timeout in others:
            try:
                return await client.health(timeout=timeout)
            except BackendTimeout:
                continue
        return await client.health(timeout=last)


async def answers(endpoint: "Endpoint") -> bool:
    """Whether it answers at once."""
    try:
        await check(endpoint, timeouts=[LONGEST_TIMEOUT])
    except BridgeError:
        return False
    return True


async def await_healthy(
    endpoint: "Endpoint", *, within: float, wanted: Callable[[], Awaitable[bool]]
) -> "Health | None":
    """Ask until a server that starts answers.

    A request that comes as soon as its port is open is never answered, so the first ones are given up early.

    Args:
        endpoint: Where it will be.
        within: Seconds until it is given up.
        wanted: Says false when there is no point in asking on.

    Returns:
        ``None`` when it was given up.

    Raises:
        UnsupportedVersion: It answers, and is too old.
    """
    timeout = FIRST_TIMEOUT
    async with connected(endpoint) as client:
        with anyio.move_on_after(within):
            while await wanted():
                try:
                    return await client.health(timeout=timeout)
                except BackendTimeout:
                    timeout = min(LONGEST_TIMEOUT, timeout * 2)
                except UnsupportedVersion:
                    raise
                except BridgeError:
                    await anyio.sleep(PAUSE)
    return None


async def is_busy(endpoint: "Endpoint", *, since: float) -> bool:
    """Whether a session works on something; a server that does not say so in time counts as idle.

    ``session.status`` tells of one directory at a time, so only those are asked for in which a session changed.

    Args:
        endpoint: Where the server is.
        since: When the server was started; seconds since the epoch.
    """
    try:
        with anyio.move_on_after(STATUS_TIMEOUT):
            async with connected(endpoint) as client:
                recent = await client.all_sessions({"limit": RECENT_SESSIONS})
                changed = {session.directory for session in recent.items if session.time.updated >= since * 1000}
                for directory in changed:
                    if await client.session_status(directory):
                        return True
    except BridgeError:
        return False
    return False
