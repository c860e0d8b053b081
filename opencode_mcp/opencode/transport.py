"""The only door to the network: one pooled HTTP client for one OpenCode server.

It knows addresses, passwords, time-outs and broken connections, and nothing of what is said. Every exception of httpx
leaves here as one of ours; a test holds that complete.
"""

import base64
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast
from urllib.parse import urlencode, urlsplit

import anyio

from opencode_mcp.config import LOOPBACK_NAMES
from opencode_mcp.errors import (
    BackendFailed,
    BackendTimeout,
    BackendUnavailable,
    BridgeError,
    InvalidSetting,
    UnsupportedOperation,
)
from opencode_mcp.opencode.clock import Clock
from opencode_mcp.opencode.codec import Reply, Request, failure
from opencode_mcp.opencode.opening import Openings

if TYPE_CHECKING:
    from http.cookiejar import CookieJar

    import httpx
    from httpx_sse import EventSource
    from httpx_ws import AsyncWebSocketSession

    from opencode_mcp.opencode.endpoint import Endpoint
    from opencode_mcp.processes.identity import Process

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0
# Fifty commands may run at once, each in a request of its own that lasts as long.
MAX_CONNECTIONS = 64
KEEP_ALIVE = 5.0
AT_ONCE = 12
"""Short requests under way at the same time: httpx looks at every connection for each request."""
REPLY_LIMIT = 64 * 1024 * 1024
"""Bytes of a reply, unpacked, that are taken into memory."""
EVENT_LIMIT = 16 * 1024 * 1024
"""Characters of one event of a stream, its line ends included."""
BODY_TIMEOUT = 60.0
"""Seconds that a reply may take beyond its own time-out once it has begun: a byte now and then keeps no call open."""
STREAM_TIMEOUT = 300.0
"""Seconds that a body which is read as it comes may take."""
TOO_LARGE = "ReplyTooLarge"
"""The kind of the failure that a larger reply is."""
ENDED = ("peer ", "Server disconnected", "Can't receive data")
"""How what httpx says begins where a connection ended too early; h11 and httpcore tell it by the text alone."""
EVENT_ENDS = ("\n\n", "\r\r", "\r\n\r\n")
UNAVAILABLE_HINT = "Check that it runs, then call again; opencode_status tells what the bridge can reach."


@dataclass(frozen=True, slots=True)
class Body:
    """A reply's body on its way."""

    media_type: str
    chunks: AsyncIterator[bytes]


class Transport:
    """Sends requests to one endpoint. Nothing connects before the first request.

    Args:
        endpoint: Where the server is.
    """

    def __init__(self, endpoint: "Endpoint") -> None:
        self.endpoint = endpoint
        self.clock = Clock(same=endpoint.process is not None)
        self._turns = anyio.Semaphore(AT_ONCE, fast_acquire=True)
        self._openings = Openings(self._send_again)
        self._closed = False

    @property
    def _http(self) -> "httpx.AsyncClient":
        # What a request broke off by the closing does next must not open the pool again.
        if self._closed:
            raise BackendUnavailable(f"The connection to OpenCode at {self.endpoint.url} is closed.", sent=False)
        return self._pool

    @cached_property
    def _pool(self) -> "httpx.AsyncClient":
        import httpx

        address = urlsplit(self.endpoint.url)
        return httpx.AsyncClient(
            # Between two processes of one machine compression only costs, and a small reply could unpack to a huge one.
            headers={**_credentials(self.endpoint), "accept-encoding": "identity"},
            # With fewer kept than allowed, httpx opens a new one for nearly each of many requests at once.
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS),
            timeout=httpx.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT),
            # A proxy from the environment has no business between two processes of one machine.
            trust_env=address.hostname not in LOOPBACK_NAMES,
            # Loading the machine's certificates takes 20 ms, and an address without TLS needs none.
            verify=address.scheme != "http" or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            transport=_to_process(self.endpoint.process) if self.endpoint.process else None,
            cookies=_no_cookies(),
        )

    def _url(self, request: Request) -> str:
        """The whole address: httpx parses it once, and three times where it has to put the parts together."""
        query = urlencode(request.query)
        return f"{self.endpoint.url.rstrip('/')}{request.path}{'?' if query else ''}{query}"

    def reopen_projects(self) -> None:
        """OpenCode has closed projects: the next request of each may take as long as the first."""
        self._openings.forget()

    async def send(self, request: Request, *, timeout: float = READ_TIMEOUT) -> Reply:
        """Send a request and read its whole reply; a read that the connection broke is sent once more.

        Args:
            request: What to ask.
            timeout: Seconds that OpenCode may take to answer, once it has opened the project.

        Raises:
            BackendUnavailable: Nothing answers there, or the connection broke.
            BackendTimeout: It was accepted and not answered in time.
            BackendFailed: The reply is larger than ``REPLY_LIMIT`` (its kind is ``TOO_LARGE``), or is not HTTP.
        """
        await self._openings.open_for(request)
        return await self._send_again(request, timeout)

    async def _send_again(self, request: Request, timeout: float) -> Reply:
        try:
            return await self._send(request, timeout)
        except BackendUnavailable as error:
            # What is no read counts as sent, whatever came back: OpenCode may have done it.
            if request.method != "GET" or not error.sent:
                raise
            if _is_malformed(error):
                text = f"OpenCode at {self.endpoint.url} answered in a way that cannot be read."
                raise BackendFailed(text) from error
        return await self._send(request, timeout)

    async def _send(self, request: Request, timeout: float) -> Reply:
        with self._deadline(timeout + BODY_TIMEOUT, request):
            async with self._turn(timeout), self._open(request, timeout) as response:
                return _reply(response, await _read_limited(response, request.path))

    @contextmanager
    def _deadline(self, seconds: float, request: Request) -> Generator[None]:
        """Bound a whole exchange: the time-outs of httpx start anew with each byte."""
        with anyio.move_on_after(seconds) as scope:
            yield
        if scope.cancelled_caught:
            raise BackendTimeout(f"OpenCode at {self.endpoint.url} sent its answer to {request.path} too slowly.")

    @asynccontextmanager
    async def _turn(self, timeout: float) -> AsyncGenerator[None]:
        """Wait until few requests are under way; one that may take a time of its own neither waits nor counts."""
        if timeout != READ_TIMEOUT:
            yield
            return
        with anyio.move_on_after(timeout) as waiting:
            await self._turns.acquire()
        if waiting.cancelled_caught:
            raise BackendTimeout(f"OpenCode at {self.endpoint.url} has not answered earlier requests in time.")
        try:
            yield
        finally:
            self._turns.release()

    @asynccontextmanager
    async def stream(self, request: Request, *, timeout: float = READ_TIMEOUT) -> AsyncGenerator[Body]:
        """Send a request and yield its reply's body as it comes, however large; leaving early drops the rest.

        Raises:
            BridgeError: What ``send`` raises, and what ``codec.failure`` makes of a status of 400 and above.
        """
        await self._openings.open_for(request)
        with self._deadline(timeout + STREAM_TIMEOUT, request):
            async with self._open(request, timeout) as response:
                head = _reply(response, b"")
                if head.status >= 400:  # noqa: PLR2004 - HTTP's own line between success and failure
                    raise failure(request.path, _reply(response, await _read_limited(response, request.path)))
                yield Body(head.media_type, response.aiter_bytes())

    @asynccontextmanager
    async def _open(self, request: Request, timeout: float) -> "AsyncGenerator[httpx.Response]":
        import httpx

        with mapped_errors(self.endpoint.url):
            async with self._http.stream(
                request.method,
                self._url(request),
                headers=request.headers,
                json=request.body,
                timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT)),
            ) as response:
                self.clock.note(response.headers.get("date", ""))
                yield response

    @asynccontextmanager
    async def events(self, request: Request, *, silence: float) -> AsyncGenerator[AsyncIterator[str]]:
        """Open a stream of server-sent events; yields the data of each.

        Args:
            request: ``event.subscribe`` or ``global.event``.
            silence: Seconds without a byte after which the stream counts as dead.

        Raises:
            BackendUnavailable: Nothing answers there, or the stream broke.
            BackendTimeout: The stream went silent.
            BackendFailed: An event is larger than ``EVENT_LIMIT``.
            BridgeError: OpenCode refused it.
        """
        import httpx
        from httpx_sse import EventSource

        timeout = httpx.Timeout(silence, connect=CONNECT_TIMEOUT)
        with mapped_errors(self.endpoint.url):
            async with self._http.stream(
                request.method,
                self._url(request),
                headers={"accept": "text/event-stream"},
                timeout=timeout,
            ) as response:
                self.clock.note(response.headers.get("date", ""))
                if response.status_code >= httpx.codes.BAD_REQUEST:
                    raise failure(request.path, _reply(response, await _read_limited(response, request.path)))
                yield _event_data(EventSource(cast("httpx.Response", _BoundedEvents(response))))

    @asynccontextmanager
    async def websocket(self, request: Request) -> AsyncGenerator["Socket"]:
        """Open a WebSocket; the headers that open every request open it too, so it needs no ticket.

        Args:
            request: ``pty.connect``.

        Raises:
            BackendUnavailable: Nothing answers there.
            BackendTimeout: It did not open in time.
            BridgeError: OpenCode refused it.
        """
        import httpx
        from httpx_ws import WebSocketUpgradeError, aconnect_ws

        timeout = httpx.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT)
        await self._openings.open_for(request)
        try:
            with mapped_errors(self.endpoint.url):
                async with aconnect_ws(self._url(request), self._http, timeout=timeout) as session:
                    yield Socket(session)
        except WebSocketUpgradeError as error:
            # Its body cannot be read any more, and OpenCode sends none.
            raise failure(request.path, _reply(error.response, b"")) from error

    async def aclose(self) -> None:
        """Close the pooled connections; later requests are refused."""
        self._closed = True
        if "_pool" in self.__dict__:
            await self._pool.aclose()


class Socket:
    """An open WebSocket. A connection that broke counts as closed, since nothing more can come of it.

    Args:
        session: The session of httpx-ws.
    """

    def __init__(self, session: "AsyncWebSocketSession") -> None:
        self._session = session

    async def send(self, text: str) -> None:
        """Send a text; to a closed socket, nothing."""
        from httpx_ws import HTTPXWSException

        with suppress(HTTPXWSException):
            await self._session.send_text(text)

    async def receive(self) -> str | bytes | None:
        """Wait for the next message; ``None``: the socket is closed."""
        from httpx_ws import HTTPXWSException
        from wsproto.events import BytesMessage, TextMessage

        try:
            message = await self._session.receive()
        except HTTPXWSException:
            return None
        if isinstance(message, TextMessage):
            return message.data
        return bytes(message.data) if isinstance(message, BytesMessage) else b""


class _BoundedEvents:
    """As much of a response as ``EventSource`` uses, with an end to a line or an event that has none.

    Args:
        response: The response, not yet read.
    """

    def __init__(self, response: "httpx.Response") -> None:
        self._response = response
        self.headers = response.headers

    async def aiter_text(self) -> AsyncGenerator[str]:
        """The text piece by piece.

        Raises:
            BackendFailed: No event ended within ``EVENT_LIMIT``.
        """
        length = 0
        before = ""
        async for text in self._response.aiter_text():
            # The end of an event may be cut in two.
            joined = before + text
            end = max(joined.rfind(mark) for mark in EVENT_ENDS)
            length = len(joined) - end if end >= 0 else length + len(text)
            if length > EVENT_LIMIT:
                raise BackendFailed(
                    f"OpenCode sent an event of more than {EVENT_LIMIT >> 20} MB.",
                    hint="The bridge opens the stream anew.",
                    kind=TOO_LARGE,
                )
            before = text[-3:]
            yield text


async def _event_data(source: "EventSource") -> AsyncGenerator[str]:
    async with aclosing(source.aiter_sse()) as events:
        async for event in events:
            # httpx-sse makes an empty event of every heartbeat comment once it has seen an id.
            if event.data:
                yield event.data


async def _read_limited(response: "httpx.Response", path: str) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > REPLY_LIMIT:
            raise BackendFailed(
                f"OpenCode's answer to {path} is larger than {REPLY_LIMIT >> 20} MB.",
                hint="Ask for less of it.",
                kind=TOO_LARGE,
            )
    return bytes(body)


def _reply(response: "httpx.Response", body: bytes | None = None) -> Reply:
    """Make our reply of httpx's; the body is given where httpx has not read it."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(status=response.status_code, headers=headers, body=response.content if body is None else body)


def _to_process(process: "Process") -> "httpx.AsyncBaseTransport":
    """Connections to one process alone: before a byte is sent, it must live and own the listening socket."""
    import httpcore
    import httpx

    from opencode_mcp.processes.connections import ProcessConnections

    class ToProcess(httpx.AsyncHTTPTransport):
        def __init__(self) -> None:
            super().__init__(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust_env=False)
            self._pool = httpcore.AsyncConnectionPool(
                max_connections=MAX_CONNECTIONS,
                max_keepalive_connections=MAX_CONNECTIONS,
                keepalive_expiry=KEEP_ALIVE,
                network_backend=ProcessConnections(process),
            )

    return ToProcess()


def _no_cookies() -> "CookieJar":
    """A jar that keeps nothing: OpenCode sets no cookies, and those of another server would grow with each reply."""
    from http.cookiejar import CookieJar, DefaultCookiePolicy

    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


def _credentials(endpoint: "Endpoint") -> dict[str, str]:
    if not endpoint.password:
        return {}
    pair = f"{endpoint.username}:{endpoint.password}".encode()
    return {"authorization": "Basic " + base64.b64encode(pair).decode()}


@contextmanager
def mapped_errors(url: str) -> Generator[None]:
    """Turn every exception of httpx into ours, the address named."""
    import httpx

    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict) as error:
        raise translate(error, url) from error


def translate(error: Exception, url: str) -> BridgeError:
    """The error of ours for one of httpx's."""
    import httpx
    from httpx_sse import SSEError

    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.ProxyError():
            return BackendUnavailable(f"OpenCode does not answer at {url}.", hint=UNAVAILABLE_HINT, sent=False)
        case httpx.TimeoutException():
            return BackendTimeout(f"OpenCode at {url} accepted a request and did not answer it in time.")
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return InvalidSetting(f"The URL {url!r} is not one.", hint="It looks like http://127.0.0.1:4096.")
        case SSEError():
            return UnsupportedOperation(f"What answers at {url} sends no event stream.")
        case httpx.DecodingError() | httpx.TooManyRedirects() | httpx.HTTPStatusError() | httpx.CookieConflict():
            return BackendFailed(f"OpenCode at {url} answered in a way that cannot be read.")
        case _:
            return BackendUnavailable(f"The connection to OpenCode at {url} broke.", hint=UNAVAILABLE_HINT, sent=True)


def _is_malformed(error: BackendUnavailable) -> bool:
    """Whether an answer arrived that is not HTTP, or whose headers are too long; a connection may also just end."""
    import httpx

    cause = error.__cause__
    return isinstance(cause, httpx.RemoteProtocolError) and not str(cause).startswith(ENDED)
