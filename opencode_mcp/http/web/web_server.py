"""The web server: uvicorn, with limits against clients that open connections and send nothing.

uvicorn has no time limit for the head of a request, and when there are too many connections, it refuses the new ones.
Here, a head has to come in time, and of too many connections, the one closes that has waited longest for a request.

asyncio counts nothing: it accepts as many connections in one step as a server's backlog has, before it reports the
first. A few at once are therefore taken here, so that the limit holds before the open files run out.
"""

import errno
import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import anyio
import h11
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from opencode_mcp.http.address import BACKLOG
from opencode_mcp.http.failure_rate_limit import FailureRateLimit, address_in
from opencode_mcp.http.web.forwarded_for import ForwardedFor
from opencode_mcp.http.web.http_app import LARGEST_HEAD, LONG_HEAD, TOO_LONG

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop  # noqa: TID251 - only uvicorn's own loop has the hook
    from socket import socket

    from starlette.types import ASGIApp

logger = logging.getLogger(__name__)
uvicorn_errors = logging.getLogger(f"{__name__}.uvicorn")
uvicorn_errors.setLevel(logging.ERROR)
"""uvicorn's log of a connection. Its warnings are left out: there is one for each request that is no HTTP."""

HEAD_SECONDS = 10.0
"""Time for the head of a request to arrive, and for the rest of a body after the response to its request."""
KEEP_ALIVE_SECONDS = 75
"""Time that a connection stays open without a request; longer than proxies keep theirs."""
SHUTDOWN_SECONDS = 5
"""Time that requests have to end when the server does."""
MOST_CONNECTIONS = 2000
ACCEPTED_AT_ONCE = 16
"""Connections that are accepted in one step of the event loop."""
STEPS_TO_CLOSE = 4
"""Steps of the event loop between the acceptance of a connection and the end of the one that it replaces."""
SPARE_DESCRIPTORS = 200 + STEPS_TO_CLOSE * ACCEPTED_AT_ONCE
"""Open files besides the connections: OpenCode's, those of the running calls, and connections that are closing."""
LEAST_CONNECTIONS = 50
CLOSED_WHEN_FULL = 100
"""Connections without a request that close when the system permits no more open files."""
PLAIN_TEXT = (("content-type", "text/plain; charset=utf-8"),)
NO_MORE_FILES = (errno.EMFILE, errno.ENFILE)


class LimitedState(ServerState):
    """Connections of a server.

    Args:
        most: Limit of their number.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.held: set[LimitedProtocol] = set()
        """Connections that are open and not being closed."""
        self.idle: dict[LimitedProtocol, None] = {}
        """Connections without a complete request, those that have been so for longest first."""
        self.refused = FailureRateLimit()
        """Requests that are no HTTP."""
        self._replaced = FailureRateLimit(attempts=1)
        """Connections that were closed for others: one is logged in a minute."""

    def add(self, protocol: "LimitedProtocol") -> None:
        """Count a new connection; if there are too many, close the one that has been idle for longest."""
        self.held.add(protocol)
        self.idle[protocol] = None
        if len(self.held) > self.most:
            if not self._replaced.add(""):
                logger.warning(
                    "all %s connections are open: one without a request is closed for each new one", self.most
                )
            self.close_idle(1)

    def discard(self, protocol: "LimitedProtocol") -> None:
        """Count a connection no more."""
        self.held.discard(protocol)
        self.idle.pop(protocol, None)

    def close_idle(self, number: int) -> None:
        """Close connections without a complete request, those that have been so for longest first."""
        for protocol in list(self.idle)[:number]:
            protocol.abort()


class LimitedProtocol(H11Protocol):
    """One connection; the server's state is a ``LimitedState``."""

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - a type of asyncio's
        """Take a new connection."""
        super().connection_made(transport)
        self.logger = uvicorn_errors
        self._timer = self.loop.call_later(HEAD_SECONDS, self.abort)
        self._is_refused = False
        """True if what the client sends is not read any more."""
        self._limits.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._timer.cancel()
        self._limits.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a part of a request; the rest of its head has to follow in time."""
        if not self._is_refused:
            super().data_received(data)
            self._watch()

    def on_response_complete(self) -> None:
        """Wait for the rest of a body that nobody read, and for the next request, whose head may have begun."""
        super().on_response_complete()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, or a head that is longer than permitted; uvicorn has one status for both."""
        if len(self.conn.trailing_data[0]) > LARGEST_HEAD:
            self._refuse_long_head()
            return
        address = address_in(self.client)
        if not self._limits.refused.add(address):
            logger.warning("what came from %s is no HTTP request", address)
        super().send_400_response(msg)

    def _refuse_long_head(self) -> None:
        """Answer, and drop the rest of the head: a client gets no response if its connection closes while it sends."""
        text = LONG_HEAD.encode()
        headers = [*PLAIN_TEXT, ("content-length", str(len(text))), ("connection", "close")]
        for event in (h11.Response(status_code=TOO_LONG, headers=headers), h11.Data(data=text), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event))
        self._is_refused = True

    def abort(self) -> None:
        """Close the connection now."""
        self._limits.discard(self)
        self.transport.abort()

    def _watch(self) -> None:
        """Limit the time of what has begun; uvicorn limits that of a connection on which nothing comes."""
        if self not in self._limits.held:
            return
        is_answering = self._is_answering()
        if is_answering and not self.cycle.more_body:
            self._limits.idle.pop(self, None)
        else:
            self._limits.idle.setdefault(self)
        if is_answering or (self.cycle and not self._has_begun()):
            self._timer.cancel()
        elif self._timer.cancelled():
            self._timer = self.loop.call_later(HEAD_SECONDS, self.abort)

    def _is_answering(self) -> bool:
        """Return True if a request has come whose response is not complete."""
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn leaves it empty until the first request.
        return bool(cycle) and not cycle.response_complete

    def _has_begun(self) -> bool:
        """Return True if a part of a head has come, or the rest of a body is missing."""
        return bool(self.conn.trailing_data[0]) or self.conn.their_state is h11.SEND_BODY

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: a request for another protocol is answered as any other."""

    @property
    def _limits(self) -> LimitedState:
        assert isinstance(self.server_state, LimitedState)  # noqa: S101 - WebServer made it
        return self.server_state


class WebServer(Server):
    """uvicorn's server without its handling of signals, which ``serve_http.py`` does.

    Args:
        app: The application.
        proxies: Addresses of reverse proxies whose ``X-Forwarded-For`` is believed.
    """

    def __init__(self, app: "ASGIApp", proxies: tuple[str, ...] = ()) -> None:
        super().__init__(
            Config(
                ForwardedFor(app, proxies) if proxies else app,
                http=LimitedProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                h11_max_incomplete_event_size=LARGEST_HEAD,
                backlog=ACCEPTED_AT_ONCE,
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
        for server in self.servers:
            server.get_loop().set_exception_handler(self._loop_failed)
        for each in sockets or ():
            # asyncio has set the system's queue to the number that it accepts at once.
            each.listen(BACKLOG)
        self.listens.set()

    def _loop_failed(self, loop: "AbstractEventLoop", context: dict[str, Any]) -> None:
        """Make room if a connection could not be accepted; everything else is logged as usual."""
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in NO_MORE_FILES:
            loop.default_exception_handler(context)
            return
        logger.warning("a connection waits, because no more files can be opened: %s", error.strerror)
        assert isinstance(self.server_state, LimitedState)  # noqa: S101 - the constructor made it
        self.server_state.close_idle(CLOSED_WHEN_FULL)

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
