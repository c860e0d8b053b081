"""Has OpenCode open a project before anything else is asked of it there.

The first request of a project waits until OpenCode has opened it: plugins, MCP servers and configuration are loaded,
which may take minutes. OpenCode goes on with that when the request is given up. So a request of no effect comes first,
again and again for as long as OpenCode shows that it lives, and the time-out of the request proper stays short.
"""

from collections.abc import Awaitable, Callable

import anyio

from opencode_mcp.errors import BackendTimeout, BackendUnavailable, BridgeError
from opencode_mcp.opencode.codec import DIRECTORY_NAMES, Reply, Request, encode
from opencode_mcp.opencode.operations.catalog import operation

LONGEST = 600.0
"""Seconds that OpenCode may take to open a project."""
ROUND = 20.0
"""Seconds after which it is asked whether it still lives."""
ALIVE_WITHIN = 5.0
OF_NO_PROJECT = ("/global/",)
OF_THEIR_OWN = ("/session/",)
"""Without a directory, these choose the project by themselves; whoever checked the session has opened it."""
SERVERS_OWN = ""
"""The project in which the server was started: it answers what names no directory."""

Send = Callable[[Request, float], Awaitable[Reply]]


class Openings:
    """The projects that one server has opened.

    Args:
        send: Sends a request within a number of seconds.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._open: set[str] = set()
        self._locks: dict[str, anyio.Lock] = {}

    def forget(self) -> None:
        """Open every project anew: OpenCode has closed some."""
        self._open.clear()

    async def open_for(self, request: Request) -> None:
        """Wait until the project of a request is open (``path.get``).

        Raises:
            BackendUnavailable: Nothing answers there; the request was not sent.
            BackendTimeout: OpenCode does not answer, or has not opened the project within ``LONGEST``.
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
        deadline = anyio.current_time() + LONGEST
        opening = _opening(project)
        while True:
            try:
                await self._send(opening, ROUND)
            except BackendTimeout:
                if anyio.current_time() > deadline or not await self._is_alive():
                    raise
            except BackendUnavailable as error:
                # What was lost is the request of no effect.
                error.sent = False
                raise
            else:
                # Whatever it answered: what fails in the project is for the request proper to tell.
                self._open.add(project)
                return

    async def _is_alive(self) -> bool:
        try:
            await self._send(encode(operation("global.health")), ALIVE_WITHIN)
        except BridgeError:
            return False
        return True


def project_of(request: Request) -> str | None:
    """The directory, as OpenCode takes it, of the project that answers a request; ``None``: none, or an open one."""
    named = next((request.query[name] for name in DIRECTORY_NAMES.values() if request.query.get(name)), SERVERS_OWN)
    if named:
        return named
    return None if request.path.startswith((*OF_NO_PROJECT, *OF_THEIR_OWN)) else SERVERS_OWN


def _opening(project: str) -> Request:
    row = operation("path.get")
    # As it stands in the query, which is already as OpenCode decodes it.
    query = {DIRECTORY_NAMES[row.scope]: project} if project else {}
    return Request(method=row.method, path=row.path, query=query, headers=row.headers)
