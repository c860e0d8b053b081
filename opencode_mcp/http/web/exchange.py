"""One HTTP request with its response: it can be cancelled from outside, and a client that stalls ends it."""

import logging
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.http.web.cut_off_errors import error_of, event_of, request_id_in

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)

BODY_SECONDS = 30.0
"""Time for the body of a request to arrive."""
SEND_SECONDS = 60.0
"""Time for a client to read a part of the response."""
CLOSE_SECONDS = 1.0
"""Time for the end of a response that was cut off."""
REQUEST_TIMEOUT, UNAVAILABLE = 408, 503
CONTENT_TYPE, EVENTS = b"content-type", b"text/event-stream"
NOTED_BYTES = 65_536
"""Longest body of a request in which its id is looked for when it is cut off."""
LISTEN = b"subscriptions/listen"
"""Value of the header ``Mcp-Method`` of a request that has no end of its own."""
EXCHANGE = "opencode_mcp.exchange"
"""Key of a request's exchange in its ASGI scope."""


class Exchange:
    """Request and response of one client.

    Args:
        receive: Receives the request's body, and the client's end.
        send: Sends the response.
    """

    def __init__(self, receive: "Receive", send: "Send") -> None:
        self.status: int | None = None
        """Status of the response, once it has begun."""
        self._receive = receive
        self._send = send
        self._limit = anyio.CancelScope()
        self._body_deadline = anyio.current_time() + BODY_SECONDS
        self._has_body = False
        self._is_complete = False
        self._is_incomplete = False
        self._is_stream = False
        """True if the response that has begun is a stream of events."""
        self._reason = ""
        self._body = b""
        """Body of the request, if it is not long: it has the id that an error must name."""

    def cancel(self, reason: str = "") -> None:
        """End the request now.

        Args:
            reason: Sentences for the client on why it gets no response.
        """
        self._reason = self._reason or reason
        self._limit.cancel()

    def end_after(self, seconds: float) -> None:
        """End the request after some time, if it is not over by then."""
        self._limit.deadline = anyio.current_time() + seconds

    async def run(self, app: "ASGIApp", scope: "Scope") -> None:
        """Let an application answer, and end the response in any case."""
        with self._limit:
            await app(scope, self.receive, self.send)
        if self._limit.cancelled_caught:
            with anyio.move_on_after(CLOSE_SECONDS, shield=True):
                await self._cut_off()

    async def receive(self) -> "Message":
        """Receive the next part of the request; the whole body has to come in time."""
        if self._has_body:
            return await self._receive()
        message = await self._in_time(self._receive, self._body_deadline - anyio.current_time())
        if message["type"] == "http.disconnect" and not self._is_complete:
            # Those who read the body would report this as an error of their own.
            logger.info("a client closed its connection before its request was complete")
            await self._give_up()
        self._has_body = not message.get("more_body", False)
        self._note_body(message.get("body", b""))
        return message

    async def request_id(self) -> str | int | None:
        """Return the id of the JSON-RPC request, of which nothing was received yet; ``None`` if it has none."""
        while not self._has_body:
            await self.receive()
        return request_id_in(self._body)

    def _note_body(self, part: bytes) -> None:
        self._body = self._body + part if len(self._body) + len(part) <= NOTED_BYTES else b""

    async def send(self, message: "Message") -> None:
        """Send a part of the response; the client has to read it in time."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._is_stream = any(
                name.lower() == CONTENT_TYPE and EVENTS in value for name, value in message["headers"]
            )

        async def send_it() -> "Message":
            await self._send(message)
            return message

        await self._in_time(send_it, SEND_SECONDS)
        if message["type"] == "http.response.body":
            self._is_complete = not message.get("more_body", False)

    async def _in_time(self, step: "Callable[[], Awaitable[Message]]", seconds: float) -> "Message":
        with anyio.move_on_after(seconds):
            return await step()
        await self._give_up()
        raise AssertionError  # The wait was cancelled.

    async def _give_up(self) -> None:
        """End the request, because its client did not do its part."""
        self._is_incomplete = True
        self._limit.cancel()
        await anyio.sleep_forever()

    async def _cut_off(self) -> None:
        """Say why there is no response, or end the one that has begun."""
        if self.status is None:
            self.status = REQUEST_TIMEOUT if self._is_incomplete else UNAVAILABLE
            content = error_of(request_id_in(self._body), self._reason) if self._reason else b""
            await self._send({"type": "http.response.start", "status": self.status, "headers": _headers_of(content)})
        else:
            content = event_of(request_id_in(self._body), self._reason) if self._reason and self._is_stream else b""
        if not self._is_complete:
            await self._send({"type": "http.response.body", "body": content, "more_body": False})


def _headers_of(content: bytes) -> list[tuple[bytes, bytes]]:
    """Return the headers of a response to a request that was cut off."""
    kind = [(CONTENT_TYPE, b"application/json")] if content else []
    return [*kind, (b"content-length", str(len(content)).encode()), (b"connection", b"close")]


def is_call(scope: "Scope") -> bool:
    """Return True if a request ends by itself: it is no stream of notifications."""
    return scope["method"] == "POST" and (b"mcp-method", LISTEN) not in scope["headers"]


def exchange_of(scope: "Scope") -> Exchange:
    """Return the exchange of a request."""
    return scope[EXCHANGE]
