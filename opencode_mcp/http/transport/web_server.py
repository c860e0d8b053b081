"""The web server: uvicorn, with limits against clients that open connections and send nothing.

uvicorn has no time limit for the head of a request, and when there are too many connections, it refuses the new ones.
Here, a head has to come in time, and of too many connections, the one closes that has waited longest for a request.
"""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import anyio
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from opencode_mcp.http.transport.http_app import LARGEST_HEAD

if TYPE_CHECKING:
    from socket import socket

    from starlette.types import ASGIApp

HEAD_SECONDS = 10.0
"""Time for the head of a request to arrive."""
KEEP_ALIVE_SECONDS = 75
"""Time that a connection stays open without a request; longer than proxies keep theirs."""
SHUTDOWN_SECONDS = 5
"""Time that requests have to end when the server does."""
MOST_CONNECTIONS = 2000
SPARE_DESCRIPTORS = 200
"""Open files besides the connections: OpenCode's, and those of the running calls."""
LEAST_CONNECTIONS = 50


class LimitedState(ServerState):
    """Connections of a server.

    Args:
        most: Limit of their number.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.idle: dict[LimitedProtocol, None] = {}
        """Connections without a request, those that have been so for longest first."""


class LimitedProtocol(H11Protocol):
    """One connection; the server's state is a ``LimitedState``."""

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - a type of asyncio's
        """Take a new connection; if there are too many, close the one that has been idle for longest."""
        super().connection_made(transport)
        self._timer = self.loop.call_later(HEAD_SECONDS, self._close_late)
        self._limits.idle[self] = None
        if len(self.connections) > self._limits.most:
            next(iter(self._limits.idle)).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._timer.cancel()
        self._limits.idle.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a part of a request; the rest of its head has to follow in time."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request; a part of its head may be there."""
        super().on_response_complete()
        self._watch()

    def _watch(self) -> None:
        """Limit the time of a head that has begun; uvicorn limits that of a connection on which nothing comes."""
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn leaves it empty until the first request.
        if cycle and not cycle.response_complete:
            self._timer.cancel()
            self._limits.idle.pop(self, None)
            return
        self._limits.idle.setdefault(self)
        if self._timer.cancelled() and self.conn.trailing_data[0]:
            self._timer = self.loop.call_later(HEAD_SECONDS, self._close_late)

    @property
    def _limits(self) -> LimitedState:
        assert isinstance(self.server_state, LimitedState)  # noqa: S101 - WebServer made it
        return self.server_state

    def _close_late(self) -> None:
        self.transport.abort()


class WebServer(Server):
    """uvicorn's server without its handling of signals, which ``serve.py`` does.

    Args:
        app: The application.
        proxies: Addresses of reverse proxies whose ``X-Forwarded-For`` is believed.
    """

    def __init__(self, app: "ASGIApp", proxies: tuple[str, ...] = ()) -> None:
        super().__init__(
            Config(
                app,
                http=LimitedProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=bool(proxies),
                forwarded_allow_ips=list(proxies),
                h11_max_incomplete_event_size=LARGEST_HEAD,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            )
        )
        self.server_state = LimitedState(connection_limit())
        self.listens = anyio.Event()
        """Set when clients can connect."""

    @property
    def open_connections(self) -> int:
        """Return the number of open connections."""
        return len(self.server_state.connections)

    async def startup(self, sockets: "list[socket] | None" = None) -> None:
        """Listen at the sockets."""
        await super().startup(sockets)
        self.listens.set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals alone."""
        yield


def connection_limit() -> int:
    """Return the number of connections that the limit of open files permits; the limit is raised if it may be."""
    if sys.platform == "win32":
        return MOST_CONNECTIONS
    import resource  # noqa: PLC0415 - Windows has no such module

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + SPARE_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else _fitting(soft)


def _fitting(descriptors: int) -> int:
    return max(min(MOST_CONNECTIONS, descriptors - SPARE_DESCRIPTORS), LEAST_CONNECTIONS)
