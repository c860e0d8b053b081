"""HTTP transport: one pooled client for one OpenCode server, and the only module that sends requests to OpenCode.

Design. Everything that can go wrong between two processes is handled here, once: addresses, passwords, timeouts,
broken connections, replies that are too large or not HTTP. Callers see replies and the errors of ``errors.py``; no
exception of httpx leaves this module (a test checks every class of them). The module does not know what requests mean.

- Connections: one pool with keep-alive. OpenCode on this machine gets no compression, no proxy and no TLS context.
- Requests: short requests pass a semaphore (``MAX_CONCURRENT_REQUESTS``), because httpx checks every pooled connection
  for each request, and a hundred at once would be slower than twelve at a time. Long ones (a run that blocks) do not
  count.
- Timeouts: httpx restarts its read timeout with each byte, so ``_deadline`` bounds the whole exchange.
- Retry: a GET whose connection broke is sent once more. A POST never is: OpenCode may have executed it. ``sent`` in the
  error tells the caller which of both it was.
- First request of a project: it waits until OpenCode has opened the project; see ``opening``.
- Address: for a server that a bridge started, a connection is used only if that process owns the listening socket. So a
  program that took over the port receives neither the password nor a prompt.
- Streams: events of a stream are bounded (``event_data.py``), so that a server cannot fill the memory.

Rejected alternatives:

- A client per request: 20 ms for the certificates and a new connection for each, where a call takes 2 ms.
- Retries by the pool (``httpx.HTTPTransport(retries=...)``): they cover connecting only, and are not aware of methods.
- Unlimited concurrency: the work of httpx for each request grows with the number of connections in use.
- To return httpx's responses: the layers above would depend on the library, and could keep connections open.

Invariants:

- Every public method raises only errors of ``errors.py``, with the address in the text and never the password.
- ``BackendUnavailable.sent`` is False only if OpenCode cannot have received the request.
- No exchange lasts without end: each has a deadline, also one whose bytes trickle in.
- After ``aclose`` no connection is opened again, even by requests that were under way.
"""

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import anyio
import httpcore
import httpx
import httpx_ws
from httpx_sse import SSEError

from opencode_mcp.bounded_dict import BoundedDict
from opencode_mcp.errors import (
    BackendFailed,
    BackendTimeout,
    BackendUnavailable,
    BridgeError,
    InvalidSetting,
    UnsupportedOperation,
)
from opencode_mcp.opencode.http_client.clock import Clock
from opencode_mcp.opencode.http_client.codec import TOO_LARGE, HttpRequest, Reply, failure
from opencode_mcp.opencode.http_client.directory_lists import DirectoryLists
from opencode_mcp.opencode.http_client.event_data import event_data
from opencode_mcp.opencode.http_client.project_opening import Openings
from opencode_mcp.opencode.http_client.web_socket import WebSocket
from opencode_mcp.processes.checked_connections import AnotherListener, ProcessConnections
from opencode_mcp.settings import LOOPBACK_NAMES

if TYPE_CHECKING:
    from opencode_mcp.opencode.http_client.endpoint import Endpoint
    from opencode_mcp.opencode.versions import Generation
    from opencode_mcp.processes.identity import Process

CONNECT_TIMEOUT_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 30.0
# Fifty commands may run at once, each in a request that lasts as long.
MAX_CONNECTIONS = 64
KEEP_ALIVE_SECONDS = 5.0
MAX_CONCURRENT_REQUESTS = 12
"""Most short requests at the same time: httpx checks every connection for each request."""
REPLY_LIMIT_BYTES = 64 * 1024 * 1024
"""Largest reply that is read into memory, in bytes after decoding."""
BODY_TIMEOUT_SECONDS = 60.0
"""Seconds that a reply may take after its own timeout once it has begun, so that single bytes keep no call open."""
STREAM_TIMEOUT_SECONDS = 300.0
"""Seconds that a body may take that is read while it arrives."""
DIRECTORIES_KEPT = 1000
ADDRESSES_KEPT = 128
"""Most addresses that are kept in parsed form; the longest has about 12 KB."""
ENDED = ("peer ", "Server disconnected", "Can't receive data")
"""Beginnings of httpx's messages for connections that ended too early; h11 and httpcore have no other mark of it."""
UNAVAILABLE_HINT = "Check that it runs, then call again. opencode_status shows what can be reached."


@dataclass(frozen=True, slots=True)
class Body:
    """Body of a reply that is still arriving."""

    media_type: str
    chunks: AsyncIterator[bytes]


class NoCookies(httpx.Cookies):
    """Cookies that stay empty: OpenCode sets none, and those of other servers would accumulate.

    A cookie jar that accepts none would do, but httpx prepares each exchange for it, which takes a tenth of the time.
    """

    def extract_cookies(self, response: httpx.Response) -> None:
        """Keep nothing of a reply."""


NO_COOKIES = NoCookies()


class CookielessClient(httpx.AsyncClient):
    """Client that keeps no cookies and sends none."""

    @property
    def cookies(self) -> httpx.Cookies:
        """Return empty cookies."""
        return NO_COOKIES

    @cookies.setter
    def cookies(self, cookies: object) -> None:  # noqa: ARG002 - the signature of httpx
        raise AttributeError("this client has no cookies")


class Transport:
    """Sends requests to one endpoint; it connects at the first request.

    Args:
        endpoint: Address and credentials of the server.
    """

    def __init__(self, endpoint: "Endpoint") -> None:
        self.endpoint = endpoint
        self.clock = Clock(same=endpoint.process is not None)
        self.has_answered = False
        """True once the server has answered a request."""
        self._turns = anyio.Semaphore(MAX_CONCURRENT_REQUESTS, fast_acquire=True)
        self.directory_lists = BoundedDict[str, DirectoryLists](DIRECTORIES_KEPT)
        """Knowledge of the lists of each directory; see ``RequestSender.directory_lists``."""
        self._openings = Openings(partial(self._send_with_retry, queued=False), endpoint.generation)
        self._client: httpx.AsyncClient | None = None
        self._closed = False

    @property
    def _http(self) -> httpx.AsyncClient:
        # A request that was interrupted by ``aclose`` must not open the pool again.
        if self._closed:
            raise BackendUnavailable(f"The connection to OpenCode at {self.endpoint.url} is closed.", sent=False)
        self._client = self._client or self._make_client()
        return self._client

    def _make_client(self) -> httpx.AsyncClient:
        address = urlsplit(self.endpoint.url)
        return CookielessClient(
            # Compression only costs time between two processes of one machine, and a small reply could unpack to a huge
            # one.
            headers={"accept-encoding": "identity"},
            auth=_credentials(self.endpoint),
            # If fewer were kept than allowed, httpx would open a new one for nearly each of many concurrent requests.
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS),
            timeout=httpx.Timeout(READ_TIMEOUT_SECONDS, connect=CONNECT_TIMEOUT_SECONDS),
            # A proxy from the environment must not come between two processes of one machine.
            trust_env=address.hostname not in LOOPBACK_NAMES,
            # Loading the machine's certificates takes 20 ms, and an address without TLS needs none.
            verify=address.scheme != "http" or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            transport=_to_process(self.endpoint.process) if self.endpoint.process else None,
        )

    def _url(self, request: HttpRequest) -> httpx.URL:
        """Return the whole address: httpx parses it once, and three times if it must join the parts."""
        return _parsed_url(self.endpoint.url.rstrip("/") + request.path, tuple(request.query.items()))

    async def generation(self) -> "Generation":
        """Return the generation of the server's API."""
        return self.endpoint.generation

    def reopen_projects(self) -> None:
        """Note that OpenCode has closed projects: the next request of each may take as long as the first."""
        self._openings.forget()
        self.directory_lists.clear()

    def note_change_in(self, directory: str) -> None:
        """Note that OpenCode may have emptied the lists of a directory, as it does when it opens the directory anew."""
        if lists := self.directory_lists.get(directory):
            lists.note_change()

    async def send(self, request: HttpRequest, *, timeout: float = READ_TIMEOUT_SECONDS, queued: bool = True) -> Reply:
        """Send a request and read its whole reply. A read whose connection broke is sent once more.

        Args:
            request: The request.
            timeout: Seconds that OpenCode may take to answer, once it has opened the project.
            queued: Whether the request waits while many others are under way, and counts as one of them. A request
                that may take long by itself, or that finds out whether OpenCode answers at all, does neither.

        Raises:
            BackendUnavailable: Nothing answers, or the connection broke.
            BackendTimeout: OpenCode accepted the request and did not answer in time.
            BackendFailed: The reply is larger than ``REPLY_LIMIT_BYTES`` (its kind is ``TOO_LARGE``), or is not HTTP.
        """
        await self._openings.open_for(request)
        return await self._send_with_retry(request, timeout, queued=queued)

    async def _send_with_retry(self, request: HttpRequest, timeout: float, *, queued: bool) -> Reply:
        try:
            return await self._send(request, timeout, queued=queued)
        except BackendUnavailable as error:
            # Other methods count as sent, whatever came back: OpenCode may have executed the request.
            if request.method != "GET" or not error.sent:
                raise
            if _is_malformed(error):
                text = f"OpenCode at {self.endpoint.url} sent an answer that cannot be read."
                raise BackendFailed(text) from error
        return await self._send(request, timeout, queued=queued)

    async def _send(self, request: HttpRequest, timeout: float, *, queued: bool) -> Reply:
        with self._deadline(timeout + BODY_TIMEOUT_SECONDS, request):
            turn = self._turn(timeout) if queued else nullcontext()
            async with turn, self._open(request, timeout) as response:
                self.has_answered = True
                return _reply(response, await _read_limited(response, request.path))

    @contextmanager
    def _deadline(self, seconds: float, request: HttpRequest) -> Generator[None]:
        """Limit the time of a whole exchange; the timeouts of httpx restart with each byte."""
        with anyio.move_on_after(seconds) as scope:
            yield
        if scope.cancelled_caught:
            raise BackendTimeout(f"OpenCode at {self.endpoint.url} sent its answer to {request.path} too slowly.")

    @asynccontextmanager
    async def _turn(self, timeout: float) -> AsyncGenerator[None]:
        """Wait until few requests are under way, and count as one of them while the block runs."""
        try:
            self._turns.acquire_nowait()
        except anyio.WouldBlock:
            await self._wait_for_turn(timeout)
        try:
            yield
        finally:
            self._turns.release()

    async def _wait_for_turn(self, timeout: float) -> None:
        with anyio.move_on_after(timeout) as waiting:
            await self._turns.acquire()
        if waiting.cancelled_caught:
            raise BackendTimeout(f"OpenCode at {self.endpoint.url} has not answered earlier requests in time.")

    @asynccontextmanager
    async def stream(self, request: HttpRequest, *, timeout: float = READ_TIMEOUT_SECONDS) -> AsyncGenerator[Body]:
        """Send a request and yield the body of its reply while it arrives, however large; leaving early drops the rest.

        Raises:
            BridgeError: As ``send``, and as ``codec.failure`` for a status of 400 and above.
        """
        await self._openings.open_for(request)
        with self._deadline(timeout + STREAM_TIMEOUT_SECONDS, request):
            async with self._open_successful(request, timeout) as response:
                yield Body(_reply(response, b"").media_type, response.aiter_bytes())

    @asynccontextmanager
    async def _open(self, request: HttpRequest, timeout: float) -> "AsyncGenerator[httpx.Response]":
        with mapped_errors(self.endpoint.url):
            async with self._http.stream(
                request.method,
                self._url(request),
                headers=request.headers,
                content=request.content,
                json=request.body,
                timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT_SECONDS)),
            ) as response:
                self.clock.note(response.headers.get("date", ""))
                yield response

    @asynccontextmanager
    async def _open_successful(self, request: HttpRequest, timeout: float) -> "AsyncGenerator[httpx.Response]":
        """Send a request and yield its response before the body is read; raises the failure that a response reports."""
        async with self._open(request, timeout) as response:
            if response.status_code >= httpx.codes.BAD_REQUEST:
                raise failure(request.path, _reply(response, await _read_limited(response, request.path)))
            yield response

    @asynccontextmanager
    async def events(self, request: HttpRequest, *, silence: float) -> AsyncGenerator[AsyncIterator[str]]:
        """Open a stream of server-sent events, and yield the data of each event.

        Args:
            request: ``event.subscribe`` or ``global.event``.
            silence: Seconds without a byte after which the stream counts as dead.

        Raises:
            BackendUnavailable: Nothing answers, or the stream broke.
            BackendTimeout: The stream was silent for too long.
            BackendFailed: An event is larger than ``EVENT_LIMIT_CHARACTERS``.
            BridgeError: OpenCode refused the request.
        """
        request = replace(request, headers={**request.headers, "accept": "text/event-stream"})
        async with self._open_successful(request, silence) as response:
            yield event_data(response)

    @asynccontextmanager
    async def websocket(self, request: HttpRequest) -> AsyncGenerator[WebSocket]:
        """Open a WebSocket. The credentials of ordinary requests are accepted, so it needs no ticket.

        Args:
            request: ``pty.connect``.

        Raises:
            BackendUnavailable: Nothing answers.
            BackendTimeout: It did not open in time.
            BridgeError: OpenCode refused the request.
        """
        timeout = httpx.Timeout(READ_TIMEOUT_SECONDS, connect=CONNECT_TIMEOUT_SECONDS)
        await self._openings.open_for(request)
        try:
            with mapped_errors(self.endpoint.url):
                async with httpx_ws.aconnect_ws(str(self._url(request)), self._http, timeout=timeout) as session:
                    yield WebSocket(session)
        except httpx_ws.WebSocketUpgradeError as error:
            if error.response.status_code < httpx.codes.BAD_REQUEST:
                raise UnsupportedOperation(f"What answers at {self.endpoint.url} opens no WebSocket.") from error
            # Its body can no longer be read, and OpenCode sends none.
            raise failure(request.path, _reply(error.response, b"")) from error

    async def aclose(self) -> None:
        """Close the pooled connections; later requests fail."""
        self._closed = True
        if self._client:
            await self._client.aclose()


async def _read_limited(response: "httpx.Response", path: str) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > REPLY_LIMIT_BYTES:
            raise BackendFailed(
                f"OpenCode's answer to {path} is larger than {REPLY_LIMIT_BYTES >> 20} MB.",
                hint="Request a smaller part of it.",
                kind=TOO_LARGE,
            )
    return bytes(body)


def _reply(response: "httpx.Response", body: bytes | None = None) -> Reply:
    """Convert a response of httpx; the body is passed if httpx has not read it."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(status=response.status_code, headers=headers, body=response.content if body is None else body)


def _to_process(process: "Process") -> "httpx.AsyncBaseTransport":
    """Return a transport to one process: before a byte is sent, the process must live and own the listening socket."""

    class ToProcess(httpx.AsyncHTTPTransport):
        def __init__(self) -> None:
            super().__init__(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust_env=False)
            self._pool = httpcore.AsyncConnectionPool(
                max_connections=MAX_CONNECTIONS,
                max_keepalive_connections=MAX_CONNECTIONS,
                keepalive_expiry=KEEP_ALIVE_SECONDS,
                network_backend=ProcessConnections(process),
            )

    return ToProcess()


@lru_cache(ADDRESSES_KEPT)
def _parsed_url(address: str, query: tuple[tuple[str, str], ...]) -> httpx.URL:
    """Return an address with its query.

    Few of the addresses that a bridge reads are new. To parse one takes httpx as long as to send a request.
    """
    return httpx.URL(f"{address}?{urlencode(query)}" if query else address)


def _credentials(endpoint: "Endpoint") -> httpx.BasicAuth | None:
    return httpx.BasicAuth(endpoint.username, endpoint.password) if endpoint.password else None


@contextmanager
def mapped_errors(url: str) -> Generator[None]:
    """Convert every exception of httpx into ours, with the address in its text."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict) as error:
        raise translate(error, url) from error


def translate(error: Exception, url: str) -> BridgeError:
    """Return our error for an exception of httpx."""
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.ProxyError():
            is_other = isinstance(error.__cause__, AnotherListener)
            message = f"Another program listens at {url}." if is_other else f"OpenCode does not answer at {url}."
            return BackendUnavailable(message, hint=UNAVAILABLE_HINT, sent=False)
        case httpx.TimeoutException():
            return BackendTimeout(f"OpenCode at {url} accepted a request and did not answer it in time.")
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return InvalidSetting(f"{url!r} is not a URL.", hint="It looks like http://127.0.0.1:4096.")
        case SSEError():
            return UnsupportedOperation(f"The program at {url} sends no event stream.")
        case httpx.DecodingError() | httpx.TooManyRedirects() | httpx.HTTPStatusError() | httpx.CookieConflict():
            return BackendFailed(f"OpenCode at {url} sent an answer that cannot be read.")
        case _:
            return BackendUnavailable(f"The connection to OpenCode at {url} broke.", hint=UNAVAILABLE_HINT, sent=True)


def _is_malformed(error: BackendUnavailable) -> bool:
    """Return True if the answer is not HTTP or has too long headers; False if the connection just ended."""
    cause = error.__cause__
    return isinstance(cause, httpx.RemoteProtocolError) and not str(cause).startswith(ENDED)
