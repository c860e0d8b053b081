"""A server that sends without end, without sense or hardly at all: bounded memory and a clear error."""

import json
import sys
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from functools import cache

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from opencode_mcp.events.reconnecting_stream import GONE_SECONDS, follow_stream
from opencode_mcp.launcher.health import connected
from opencode_mcp.opencode.http_client import event_data
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.opencode.vocabulary.backend_events import Gap

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux tells it"),
]

MEGABYTES = 700
"""More than any of this needs; without limits it takes gigabytes."""
PIECE = b"x" * 65_536
JSON = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
Reader = Callable[[str, str], Awaitable[tuple[int, str]]]
Answer = Callable[[], AsyncIterator[bytes]]


async def repeat(start: bytes, piece: bytes, pause: float = 0) -> AsyncIterator[bytes]:
    yield start
    while True:
        yield piece
        await anyio.sleep(pause)


async def once(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


@cache
def bomb() -> bytes:
    """Return half a gigabyte in half a megabyte: after a full flush each megabyte is packed to the same bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    first, next_one = [packer.compress(b" " * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2)]
    return first + next_one * 511


CASES: dict[str, tuple[str, Answer, str]] = {
    "an endless line": ("events", lambda: repeat(EVENTS + b"data: ", PIECE), "an event of more than"),
    "an endless event": ("events", lambda: repeat(EVENTS, b"data: x\n" * 8000), "an event of more than"),
    "an endless comment": ("events", lambda: repeat(EVENTS + b":", PIECE), "an event of more than"),
    "endless headers": ("reply", lambda: repeat(b"HTTP/1.1 200 OK\r\nx: ", PIECE), "BackendFailed: OpenCode at"),
    "many headers": (
        "reply",
        lambda: once(JSON, *[b"x: %s\r\n" % (b"y" * 1000)] * 1000, b"connection: close\r\n\r\n{}"),
        "cannot be read",
    ),
    "an endless body": ("reply", lambda: repeat(JSON + b"\r\n[", PIECE), "is larger than"),
    "a byte now and then": ("reply", lambda: repeat(JSON + b"\r\n[", b" ", 0.2), "too slowly"),
    "deep JSON": ("reply", lambda: once(JSON + b"connection: close\r\n\r\n", b"[" * 200_000), "is not JSON"),
    "deep JSON that ends": (
        "reply",
        lambda: once(JSON + b"connection: close\r\n\r\n", b'{"a":' * 200_000, b"1", b"}" * 200_000),
        "is not JSON",
    ),
    "many values": (
        "reply",
        lambda: once(JSON + b"connection: close\r\n\r\n[", *[b"[]," * 20_000] * 1000, b"1]"),
        "is not JSON",
    ),
    "a bomb": (
        "reply",
        lambda: once(JSON + b"content-encoding: gzip\r\nconnection: close\r\n\r\n", bomb()),
        "is larger than",
    ),
    "no JSON": ("reply", lambda: once(JSON + b"connection: close\r\n\r\n", b"\xff\xfe{"), "is not JSON"),
    "no HTTP": ("reply", lambda: repeat(b"\0\0\0", PIECE), "cannot be read"),
    "an end within the headers": ("reply", lambda: once(JSON), "broke"),
    "an end within the body": ("reply", lambda: once(JSON + b"content-length: 9\r\n\r\n{"), "broke"),
}


@pytest.fixture(scope="module")
async def reader() -> AsyncGenerator[Reader]:
    """Reads from a server in a process of its own, and gives its memory in megabytes and how it ended."""
    async with await anyio.open_process(
        [sys.executable, "-m", "tests.opencode.hostile_reader"], stderr=None
    ) as process:
        assert process.stdin
        assert process.stdout
        lines, sink = BufferedByteReceiveStream(process.stdout), process.stdin

        async def read(url: str, what: str) -> tuple[int, str]:
            await sink.send(f"{url} {what}\n".encode())
            memory, ending = json.loads(await lines.receive_until(b"\n", 100_000))
            return memory, ending

        yield read
        await sink.aclose()


@pytest.mark.parametrize(("what", "answer", "said"), CASES.values(), ids=CASES.keys())
async def test_it_is_an_error_that_takes_little_memory(reader: Reader, what: str, answer: Answer, said: str) -> None:
    async def serve(stream: SocketStream) -> None:
        async with stream:
            with suppress(anyio.BrokenResourceError, anyio.EndOfStream):
                await stream.receive()
                async for piece in answer():
                    await stream.send(piece)

    answers: list[tuple[int, str]] = []
    # What takes long to make is made before anybody waits for it.
    answer()
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - this has nothing to do with a database
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        with anyio.fail_after(90):
            answers.append(await reader(f"http://127.0.0.1:{port}", what))
        tasks.cancel_scope.cancel()
    ((memory, ending),) = answers
    assert said in ending
    assert memory < MEGABYTES


async def test_the_stream_is_opened_anew_after_an_event_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_data, "EVENT_LIMIT_CHARACTERS", 100_000)

    async def serve(stream: SocketStream) -> None:
        async with stream:
            with suppress(anyio.BrokenResourceError, anyio.EndOfStream):
                asked = await stream.receive()
                healthy = b'{"healthy":true,"version":"1.18.33"}'
                answer = once(JSON + b"connection: close\r\n\r\n", healthy)
                if b"/global/event" in asked:
                    answer = repeat(EVENTS + b'data: {"payload":{"type":"server.connected"}}\n\ndata: ', PIECE)
                async for piece in answer:
                    await stream.send(piece)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - this has nothing to do with a database
    with anyio.fail_after(60):
        async with listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, serve)
            async with (
                connected(Endpoint(url=f"http://127.0.0.1:{port}")) as client,
                aclosing(follow_stream(client, GONE_SECONDS)) as events,
            ):
                assert [await anext(events) for _ in range(3)] == [Gap("")] * 3
            tasks.cancel_scope.cancel()


async def test_cookies_that_a_server_sets_are_neither_kept_nor_sent_back() -> None:
    asked: list[bytes] = []

    async def serve(stream: SocketStream) -> None:
        async with stream:
            with suppress(anyio.BrokenResourceError, anyio.EndOfStream):
                while True:
                    asked.append(await stream.receive())
                    healthy = b'{"healthy":true,"version":"1.18.33"}'
                    cookie = b"set-cookie: n%d=%s; path=/\r\n" % (len(asked), b"v" * 1000)
                    await stream.send(JSON + cookie + b"content-length: %d\r\n\r\n" % len(healthy) + healthy)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - this has nothing to do with a database
    with anyio.fail_after(60):
        async with listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, serve)
            async with connected(Endpoint(url=f"http://127.0.0.1:{port}")) as client:
                for _ in range(3):
                    await client.health(timeout=30)
            tasks.cancel_scope.cancel()
    assert len(asked) == 3
    assert b"cookie" not in b"".join(asked).lower()
