"""Wait until OpenCode has opened a project, before the first real request is sent to it.

The first request of a project waits until OpenCode has loaded plugins, MCP servers and configuration, which may take
minutes. OpenCode continues to load if the request is cancelled. So a request without effects is sent first, and
repeated as long as OpenCode is alive; the timeout of the real request stays short.
"""

from collections.abc import Awaitable, Callable, Mapping

import anyio

from opencode_mcp.errors import BackendTimeout, BackendUnavailable, BridgeError
from opencode_mcp.opencode.http_client.codec import DIRECTORY_NAMES, HttpRequest, Reply
from opencode_mcp.opencode.versions import Generation
from opencode_mcp.text.json_values import as_map, as_text

LONGEST_SECONDS = 600.0
"""Seconds that OpenCode may take to open a project."""
ROUND_SECONDS = 20.0
"""Seconds after which the bridge checks that OpenCode is still alive."""
ALIVE_TIMEOUT_SECONDS = 5.0
WITHOUT_PROJECT: Mapping[Generation, tuple[str, ...]] = {
    1: ("/global/", "/session/", "/api/info", "/api/health"),
    2: ("/api/", "/global/health"),
}
"""Beginnings of the routes that, without a directory, concern no project, or choose it themselves: the check of a
session has opened its project. Both have the routes by which ``detection.py`` tells the generations apart."""
HEALTH_CHECKS: Mapping[Generation, HttpRequest] = {
    1: HttpRequest(method="GET", path="/global/health"),
    2: HttpRequest(method="GET", path="/api/info"),
}
OPENERS: Mapping[Generation, tuple[str, str]] = {1: ("/path", "directory"), 2: ("/api/location", "location")}
"""Routes without effects that wait until a project is open, each with its scope: ``path.get``, ``location.get``."""
SERVERS_OWN = ""
"""Key of the project in which the server was started; it answers requests without a directory."""

Send = Callable[[HttpRequest, float], Awaitable[Reply]]


class Openings:
    """Projects that one server has opened.

    Args:
        send: Sends a request with a timeout in seconds.
        generation: Generation of the server's API.
    """

    def __init__(self, send: Send, generation: Generation) -> None:
        self._send = send
        self._generation: Generation = generation
        self._open: set[str] = set()
        self._locks: dict[str, anyio.Lock] = {}

    def forget(self) -> None:
        """Forget the opened projects, because OpenCode has closed some."""
        self._open.clear()

    async def open_for(self, request: HttpRequest) -> None:
        """Wait until the project of a request is open (``path.get``, ``location.get``).

        Raises:
            BackendUnavailable: Nothing answers; the request was not sent.
            BackendTimeout: OpenCode does not answer, or has not opened the project within ``LONGEST_SECONDS``.
        """
        project = project_of(request, self._generation)
        if project is None or project in self._open:
            return
        lock = self._locks.setdefault(project, anyio.Lock())
        async with lock:
            if project not in self._open:
                await self._wait(project)
        self._locks.pop(project, None)

    async def _wait(self, project: str) -> None:
        deadline = anyio.current_time() + LONGEST_SECONDS
        opening = _opening(project, self._generation)
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
            await self._send(HEALTH_CHECKS[self._generation], ALIVE_TIMEOUT_SECONDS)
        except BridgeError:
            return False
        return True


def project_of(request: HttpRequest, generation: Generation = 1) -> str | None:
    """Return the directory of the project that answers a request; ``None`` if there is none, or it is open.

    OpenCode 2 takes the directory of a new session in the body (``session.create``).
    """
    named = next((request.query[name] for name in DIRECTORY_NAMES.values() if request.query.get(name)), SERVERS_OWN)
    if not named and generation == 2:  # noqa: PLR2004 - the name of a generation
        named = as_text(as_map(as_map(request.body).get("location")).get("directory"))
    if named:
        return named
    return None if request.path.startswith(WITHOUT_PROJECT[generation]) else SERVERS_OWN


def _opening(project: str, generation: Generation) -> HttpRequest:
    path, scope = OPENERS[generation]
    # The value as it is in the query, which OpenCode decodes in the same way.
    return HttpRequest(method="GET", path=path, query={DIRECTORY_NAMES[scope]: project} if project else {})
