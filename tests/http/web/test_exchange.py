"""Clients that stall, and requests that are cut off."""

from collections.abc import Iterable

import anyio
import anyio.lowlevel
import pytest
from starlette.types import Message, Receive, Scope, Send

from opencode_mcp.http.web import exchange as exchanges
from opencode_mcp.http.web.exchange import Exchange

pytestmark = pytest.mark.anyio

BEGIN: Message = {"type": "http.response.start", "status": 200, "headers": []}
PART: Message = {"type": "http.response.body", "body": b"part", "more_body": True}
REST: Message = {"type": "http.request", "body": b"", "more_body": False}
MORE: Message = {"type": "http.request", "body": b"x", "more_body": True}


class Client:
    """A client that sends some messages and then no more.

    Args:
        messages: What it sends.
        reads: Whether it reads the response.
    """

    def __init__(self, messages: Iterable[Message], *, reads: bool = True) -> None:
        self._messages = iter(messages)
        self._reads = reads
        self.received: list[Message] = []

    async def receive(self) -> Message:
        """Return its next message."""
        if message := next(self._messages, None):
            return message
        await anyio.sleep_forever()
        raise AssertionError

    async def send(self, message: Message) -> None:
        """Take a part of the response."""
        if not self._reads and message["type"] == "http.response.body" and message["more_body"]:
            await anyio.sleep_forever()
        self.received.append(message)


async def read_all(_scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await send(BEGIN)
    await send({"type": "http.response.body", "body": b"done", "more_body": False})


async def stream(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send(BEGIN)
    while True:
        await send(PART)
        await anyio.lowlevel.checkpoint()


async def test_a_body_that_does_not_come_in_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanges, "BODY_SECONDS", 0.05)
    client = Client([MORE, MORE])
    with anyio.fail_after(20):
        await Exchange(client.receive, client.send).run(read_all, {})
    assert [message.get("status") for message in client.received] == [408, None]


async def test_a_client_that_hangs_up_in_its_body_is_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    client = Client([MORE, {"type": "http.disconnect"}])
    with anyio.fail_after(20):
        await Exchange(client.receive, client.send).run(read_all, {})
    assert [record.exc_info for record in caplog.records] == [None]


async def test_a_client_that_does_not_read_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanges, "SEND_SECONDS", 0.05)
    client = Client([REST], reads=False)
    with anyio.fail_after(20):
        await Exchange(client.receive, client.send).run(stream, {})
    assert client.received[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


@pytest.mark.parametrize(("messages", "status"), [([], 503), ([REST], 200)])
async def test_a_request_that_is_cancelled_gets_the_end_of_a_response(messages: list[Message], status: int) -> None:
    client = Client(messages)
    exchange = Exchange(client.receive, client.send)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await stream(scope, receive, send)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(exchange.run, app, dict[str, object]())
        await anyio.wait_all_tasks_blocked() if not messages else await anyio.lowlevel.checkpoint()
        exchange.cancel()
    assert client.received[0]["status"] in {status, 503}
    assert client.received[-1]["more_body"] is False


CALL: Message = {"type": "http.request", "body": b'{"jsonrpc": "2.0", "id": "a1", "method": "x"}', "more_body": False}
LONG: Message = {"type": "http.request", "body": CALL["body"] + b" " * exchanges.NOTED_BYTES, "more_body": False}


def begin(kind: bytes) -> Message:
    return {"type": "http.response.start", "status": 200, "headers": [(b"Content-Type", kind)]}


@pytest.mark.parametrize(
    ("request_part", "response", "expected"),
    [
        (CALL, None, b'{"jsonrpc":"2.0","id":"a1","error":{"code":-32603,"message":"Why."}}'),
        (LONG, None, b'{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"Why."}}'),
        (CALL, b"text/event-stream; charset=utf-8", b'event: message\r\ndata: {"jsonrpc":"2.0","id":"a1",'),
        (REST, b"text/event-stream", b": Why.\r\n\r\n"),
        (CALL, b"application/json", b""),
    ],
)
async def test_a_request_that_is_cut_off_gets_the_reason(
    request_part: Message, response: bytes | None, expected: bytes
) -> None:
    client = Client([request_part])
    exchange = Exchange(client.receive, client.send)

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if response:
            await send(begin(response))
        await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(exchange.run, app, dict[str, object]())
        await anyio.wait_all_tasks_blocked()
        exchange.cancel("Why.")
    assert client.received[-1]["body"].startswith(expected)
    assert bool(client.received[-1]["body"]) == bool(expected)
    assert client.received[0]["status"] == (200 if response else 503)


async def test_a_request_that_is_complete_is_answered() -> None:
    client = Client([MORE, REST])
    exchange = Exchange(client.receive, client.send)
    await exchange.run(read_all, {})
    assert (exchange.status, client.received[-1]["body"]) == (200, b"done")
