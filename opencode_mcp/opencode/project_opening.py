"""Wait until OpenCode has opened a project, before the first real request is sent to it.

The first request of a project waits until OpenCode has loaded plugins, MCP servers and configuration, which may take
minutes. OpenCode continues to load if the request is cancelled. So a request without effects is sent first, and
repeated as long as OpenCode is alive; the time-out of the real request stays short.
"""

from collections.abc import Awaitable, Callable

import anyio

from opencode_mcp.errors import BackendTimeout, BackendUnavailable, BridgeError
from opencode_mcp.opencode.codec import DIRECTORY_NAMES, Reply, Request, encode
from opencode_mcp.opencode.operations.catalog import operation

LONGEST_SECONDS = 600.0
"""Seconds that OpenCode may take to open a project."""
ROUND_SECONDS = 20.0
"""Seconds after which the bridge checks that OpenCode is still alive."""
ALIVE_TIMEOUT_SECONDS = 5.0
OF_NO_PROJECT = ("/global/",)
OF_THEIR_OWN = ("/session/",)
"""Routes that choose the project themselves if no directory is given; the check of the session has opened it."""
SERVERS_OWN = ""
"""Key of the project in which the server was started; it answers requests without a directory."""

Send = Callable[[Request, float], Awaitable[Reply]]


class Openings:
    """Projects that one server has opened.

    Args:
        send: Sends a request with a time-out in seconds.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._open: set[str] = set()
        self._locks: dict[str, anyio.Lock] = {}

    def forget(self) -> None:
        """Forget the opened projects, because OpenCode has closed some."""
        self._open.clear()

    async def open_for(self, request: Request) -> None:
        """Wait until the project of a request is open (``path.get``).

        Raises:
            BackendUnavailable: Nothing answers; the request was not sent.
            BackendTimeout: OpenCode does not answer, or has not opened the project within ``LONGEST_SECONDS``.
        """
        project = project_of(request)
        if project is None or project in self._open:
            return
        lock = self._locks.setdefault(project, anyio.Lock())
        async with lock:
            if project not in self._open:
                await self._wait(project)
        self._locks.pop(project, None)

    async def _wait(self, project: str) -> None:
        deadline = anyio.current_time() + LONGEST_SECONDS
        opening = _opening(project)
        while True:
            try:
                await self._send(opening, ROUND_SECONDS)
            except BackendTimeout:
                if anyio.current_time() > deadline or not await self._is_alive():
                    raise
            except BackendUnavailable as error:
                # Only the request without effects was lost.
                error.sent = False
                raise
            else:
                # Any answer will do: the real request reports faults of the project.
                self._open.add(project)
                return

    async def _is_alive(self) -> bool:
        try:
            await self._send(encode(operation("global.health")), ALIVE_TIMEOUT_SECONDS)
        except BridgeError:
            return False
        return True


def project_of(request: Request) -> str | None:
    """Return the directory of the project that answers a request; ``None`` if there is none, or it is open."""
    named = next((request.query[name] for name in DIRECTORY_NAMES.values() if request.query.get(name)), SERVERS_OWN)
    if named:
        return named
    return None if request.path.startswith((*OF_NO_PROJECT, *OF_THEIR_OWN)) else SERVERS_OWN


def _opening(project: str) -> Request:
    row = operation("path.get")
    # The value as it is in the query, which OpenCode decodes in the same way.
    query = {DIRECTORY_NAMES[row.scope]: project} if project else {}
    return Request(method=row.method, path=row.path, query=query, headers=row.headers)
