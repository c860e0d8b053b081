"""JSON-RPC over stdio without an SDK: for what a well-behaved client would never send, and for how real hosts behave.

Each line is a message. Nothing is answered, cancelled or retried unless the test does it.
"""

import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol, cast

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from tests.harness.bridges.launch import Launch
from tests.harness.bridges.transport import USUAL
from tests.harness.failures import unwrapped

Json = dict[str, Any]

MODERN = "2026-07-28"
ENVELOPE = "io.modelcontextprotocol/"
LINE_LIMIT = 64 * 1024 * 1024
REPLY = 60.0
"""Seconds to wait for anything from the bridge, unless the test says otherwise."""


class NotJson(Exception):
    """A line that the bridge wrote to its stdout is no JSON; the text shows it."""


@dataclass(frozen=True, slots=True)
class Host:
    """Description that a client sends of itself.

    Args:
        protocol: ``2024-11-05`` to ``2025-11-25`` open with ``initialize``; ``2026-07-28`` puts an envelope on each
            request instead.
        capabilities: As declared on the wire, such as ``{"elicitation": {}}``.
    """

    protocol: str = "2025-11-25"
    name: str = "raw-host"
    version: str = "1.0"
    capabilities: Mapping[str, object] = field(default_factory=dict[str, object])

    @property
    def modern(self) -> bool:
        """True if it uses the protocol without a handshake."""
        return self.protocol >= MODERN

    @property
    def info(self) -> Json:
        """Its name and version."""
        return {"name": self.name, "version": self.version}

    def envelope(self) -> Json:
        """Content of ``_meta`` in each modern request."""
        return {
            f"{ENVELOPE}protocolVersion": self.protocol,
            f"{ENVELOPE}clientInfo": self.info,
            f"{ENVELOPE}clientCapabilities": dict(self.capabilities),
        }


class RawClient:
    """One connection. Everything received is kept: replies by id, the rest in ``received``."""

    def __init__(self, host: Host, process: Process | None = None) -> None:
        self.host = host
        self._process = process
        self.received: list[Json] = []
        """Notifications, and requests of the bridge, in order of arrival."""
        self.replies: list[Json] = []
        """All replies in order of arrival, also a second one to the same request and those without a known id."""
        self.closed = False
        self.batches: list[list[Json]] = []
        """Replies that came together, in answer to a batch."""
        self._replies: dict[int | None, Json] = {}
        self._ids = count(1)
        self._news = anyio.Event()

    @property
    def process(self) -> Process:
        """Process of the bridge, whose stdin and stdout are the connection."""
        assert self._process
        return self._process

    def kill(self) -> None:
        """Kill the bridge."""
        self.process.kill()

    async def handshake(self) -> Json:
        """Open the connection as the host's protocol wants it, and return the bridge's result."""
        if self.host.modern:
            return (await self.request("server/discover"))["result"]
        params = {
            "protocolVersion": self.host.protocol,
            "capabilities": dict(self.host.capabilities),
            "clientInfo": self.host.info,
        }
        reply = await self.request("initialize", params)
        await self.notify("notifications/initialized")
        return reply["result"]

    async def request(
        self, method: str, params: Mapping[str, object] | None = None, *, token: str | int | None = None
    ) -> Json:
        """Send a request and return the whole reply, which has ``result`` or ``error``."""
        return await self.reply(await self.send(method, params, token=token))

    async def call(self, tool: str, /, **arguments: object) -> Json:
        """Call a tool without a progress token and return its result."""
        reply = await self.request("tools/call", {"name": tool, "arguments": arguments})
        assert "result" in reply, reply
        return reply["result"]

    async def send(
        self, method: str, params: Mapping[str, object] | None = None, *, token: str | int | None = None
    ) -> int:
        """Send a request without waiting, and return its id."""
        number = next(self._ids)
        meta = {
            **(self.host.envelope() if self.host.modern else {}),
            **({} if token is None else {"progressToken": token}),
            **cast("Json", (params or {}).get("_meta", {})),
        }
        body = {**(params or {}), **({"_meta": meta} if meta else {})}
        await self.write({"jsonrpc": "2.0", "id": number, "method": method, "params": body})
        return number

    async def reply(self, number: int | None, *, seconds: float = REPLY) -> Json:
        """Wait for the reply to a request; None for one whose id the bridge could not read.

        Raises:
            TimeoutError: It did not come within ``seconds``.
            EOFError: The bridge closed its stdout first.
        """
        await self._until(lambda: number in self._replies, seconds)
        return self._replies[number]

    async def batch(self, *, nth: int = 1) -> list[Json]:
        """Wait for the replies to the ``nth`` batch, counted from the start."""
        await self._until(lambda: len(self.batches) >= nth, REPLY)
        return self.batches[nth - 1]

    def replied(self, number: int) -> bool:
        """Return True if the reply to a request has come."""
        return number in self._replies

    async def message(self, method: str, *, nth: int = 1, seconds: float = REPLY) -> Json:
        """Wait for the ``nth`` notification or request of this method, counted from the start.

        Raises:
            TimeoutError: It did not come within ``seconds``.
            EOFError: The bridge closed its stdout first.
        """
        await self._until(lambda: len(self.messages(method)) >= nth, seconds)
        return self.messages(method)[nth - 1]

    def messages(self, method: str) -> list[Json]:
        """The notifications and requests of this method until now."""
        return [message for message in self.received if message["method"] == method]

    async def notify(self, method: str, params: Mapping[str, object] | None = None) -> None:
        """Send a notification."""
        await self.write({"jsonrpc": "2.0", "method": method, **({"params": dict(params)} if params else {})})

    async def cancel(self, number: int, reason: str = "") -> None:
        """Tell the bridge that nobody waits for a request any more."""
        await self.notify("notifications/cancelled", {"requestId": number, **({"reason": reason} if reason else {})})

    async def respond(self, request: Json, result: Mapping[str, object]) -> None:
        """Answer a request of the bridge, such as an elicitation."""
        await self.write({"jsonrpc": "2.0", "id": request["id"], "result": dict(result)})

    async def write(self, message: object) -> None:
        """Send any JSON as a line."""
        await self.write_bytes(json.dumps(message).encode() + b"\n")

    async def write_bytes(self, data: bytes) -> None:
        """Send bytes as they are."""
        assert self.process.stdin
        with anyio.fail_after(REPLY):
            await self.process.stdin.send(data)

    async def close_input(self) -> None:
        """Close the bridge's stdin, as a host that ends does."""
        assert self.process.stdin
        await self.process.stdin.aclose()

    async def exit_code(self, *, seconds: float = REPLY) -> int:
        """Wait for the bridge to end.

        Raises:
            TimeoutError: It still runs after ``seconds``.
        """
        with anyio.fail_after(seconds):
            return await self.process.wait()

    async def listen(self) -> None:
        """Take in what the bridge sends, until it closes its stdout."""
        assert self.process.stdout
        lines = BufferedByteReceiveStream(self.process.stdout)
        with suppress(anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, anyio.ClosedResourceError):
            while True:
                self._take(strictly_parsed(await lines.receive_until(b"\n", LINE_LIMIT)))
        self._end()

    def _end(self) -> None:
        """Note that nothing more will come."""
        self.closed = True
        self._news.set()

    def _take(self, message: Json | list[Json]) -> None:
        if isinstance(message, list):
            self.batches.append(message)
        elif "method" in message:
            self.received.append(message)
        else:
            self.replies.append(message)
            self._replies[message["id"]] = message
        self._news.set()
        self._news = anyio.Event()

    async def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        with anyio.fail_after(seconds):
            while not condition():
                if self.closed:
                    raise EOFError("The bridge closed its stdout.")
                await self._news.wait()


def strictly_parsed(line: bytes) -> Json:
    """Parse a line as every reader of JSON would: UTF-8, and no constants of JavaScript.

    Raises:
        NotJson: It is none.
    """

    def refuse(constant: str) -> object:
        raise ValueError(f"{constant} is not JSON")

    try:
        return json.loads(line.decode("utf-8"), parse_constant=refuse)
    except ValueError as error:
        raise NotJson(f"{error}: {line[:200]!r}") from error


class OpenRaw(Protocol):
    """Connects to a bridge for the length of an ``async with``."""

    def __call__(self, host: Host | None = None) -> AbstractAsyncContextManager[RawClient]:
        """Start and shake hands; see ``open_raw``."""
        ...


@asynccontextmanager
async def open_raw(
    launch: Launch, host: Host | None = None, *, command: Sequence[str] = ()
) -> AsyncGenerator[RawClient]:
    """Start a bridge, or another command in its place, and shake hands; leaving kills it, unless it has ended.

    The transport is the usual one of the test.
    """
    if USUAL.transport == "http":
        from tests.harness.bridges.raw_over_http import open_raw_over_http  # It needs this module.

        async with open_raw_over_http(launch, host) as client:
            yield client
        return
    async with raw_process(launch, host, command=command) as client:
        await client.handshake()
        yield client


@asynccontextmanager
async def raw_process(
    launch: Launch, host: Host | None = None, *, command: Sequence[str] = ()
) -> AsyncGenerator[RawClient]:
    """Start a bridge, or another command in its place, and say nothing to it; leaving kills it, unless it has ended."""
    with launch.log.open("ab") as log:
        process = await anyio.open_process(
            command or launch.command, env=launch.environment, cwd=launch.environment["HOME"], stderr=log
        )
    client = RawClient(host or Host(), process)
    try:
        with unwrapped():
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.listen)
                yield client
                tasks.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                process.kill()
            await process.aclose()
