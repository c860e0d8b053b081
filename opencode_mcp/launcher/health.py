"""Health checks: does the server answer, is it an OpenCode, and is a session busy.

The module opens and closes its own connections. It neither starts nor stops anything.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import BackendTimeout, BridgeError, UnsupportedVersion
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.transport import Transport
from opencode_mcp.opencode.vocabulary.session_filter import SessionFilter

if TYPE_CHECKING:
    from opencode_mcp.opencode.http_client.endpoint import Endpoint
    from opencode_mcp.opencode.versions import Generation
    from opencode_mcp.opencode.vocabulary.wire.server_objects import Health

FIRST_TIMEOUT_SECONDS = 0.25
LONGEST_TIMEOUT_SECONDS = 1.0
PAUSE_SECONDS = 0.05
STATUS_TIMEOUT_SECONDS = 1.0
RECENT_SESSIONS = 100


@asynccontextmanager
async def connected(endpoint: "Endpoint") -> AsyncGenerator[OpenCodeClient]:
    """Yield a client that is connected for the length of the block."""
    transport = Transport(endpoint)
    try:
        yield OpenCodeClient(transport)
    finally:
        with anyio.CancelScope(shield=True):
            await transport.aclose()


async def check(endpoint: "Endpoint", *, timeouts: Sequence[float]) -> "Health":
    """Request the health once for each timeout, in seconds, until there is an answer (``global.health``).

    Raises:
        UnsupportedVersion: The server is too old.
        NotOpenCode: Another program answers.
        Unauthorized: The server refused the password.
        BackendUnavailable: Nothing answers.
        BackendTimeout: No request was answered in time.
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
    """Return True if the server answers at once."""
    try:
        await check(endpoint, timeouts=[LONGEST_TIMEOUT_SECONDS])
    except BridgeError:
        return False
    return True


async def await_healthy(
    endpoint: "Endpoint", *, within: float, wanted: Callable[[], Awaitable[bool]]
) -> "Health | None":
    """Request the health until a starting server answers.

    A request that arrives as soon as the port is open is never answered, so the first ones have short timeouts.

    Args:
        endpoint: The endpoint that the server will have.
        within: Seconds until the wait ends.
        wanted: Returns False when further requests are pointless.

    Returns:
        ``None`` if the wait ended without an answer.

    Raises:
        UnsupportedVersion: The server answers and is too old.
    """
    async with connected(endpoint) as client:
        with anyio.move_on_after(within):
            return await _first_health(client, wanted)
    return None


async def _first_health(client: OpenCodeClient, wanted: Callable[[], Awaitable[bool]]) -> "Health | None":
    timeout = FIRST_TIMEOUT_SECONDS
    while await wanted():
        try:
            return await client.health(timeout=timeout)
        except BackendTimeout:
            timeout = min(LONGEST_TIMEOUT_SECONDS, timeout * 2)
        except UnsupportedVersion:
            raise
        except BridgeError:
            await anyio.sleep(PAUSE_SECONDS)
    return None


async def is_busy(endpoint: "Endpoint", *, since: float) -> bool:
    """Return True if a session is busy; a server that does not answer in time counts as idle.

    OpenCode 2 lists its running sessions. The ``session.status`` of OpenCode 1 covers one directory, so the request is
    made only for directories whose sessions changed.

    Args:
        endpoint: The endpoint of the server.
        since: Start of the server, in seconds since the epoch.
    """
    try:
        with anyio.move_on_after(STATUS_TIMEOUT_SECONDS):
            async with connected(endpoint) as client:
                return await _has_busy_session(client, endpoint.generation, since)
    except BridgeError:
        return False
    return False


async def _has_busy_session(client: OpenCodeClient, generation: "Generation", since: float) -> bool:
    if generation != 1:
        return bool(await client.session_status(""))
    recent = await client.all_sessions(SessionFilter(limit=RECENT_SESSIONS))
    changed = {session.directory for session in recent.items if session.time.updated >= since * 1000}
    for directory in changed:
        if await client.session_status(directory):
            return True
    return False
