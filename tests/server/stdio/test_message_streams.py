"""Messages over real descriptors: whole, in order, and without holding anything else up."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from mcp.shared.message import SessionMessage
from mcp_types import PARSE_ERROR, JSONRPCNotification

from opencode_mcp.server.stdio.message_streams import MessageReader, MessageWriter
from tests.harness.processes.isolation import basics

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot wait for its pipes: the SDK's streams serve"),
]

SECONDS = 20
LONG = 300_000
"""Characters that no pipe or socket holds at once."""

Ends = tuple[int, int]


def pipe() -> Ends:
    return os.pipe()


def pair() -> Ends:
    """Return two connected sockets: Node gives these to its children as pipes."""
    left, right = socket.socketpair()
    return left.detach(), right.detach()


@pytest.fixture(params=[pipe, pair])
def ends(request: pytest.FixtureRequest) -> Generator[Ends]:
    """A descriptor to read from, and one to write to."""
    opened: Ends = request.param()
    yield opened
    for descriptor in opened:
        # A test that is about a closed end has closed it.
        with suppress(OSError):
            os.close(descriptor)


def line(method: str, **params: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode() + b"\n"


def message(method: str, text: str = "") -> SessionMessage:
    return SessionMessage(JSONRPCNotification(jsonrpc="2.0", method=method, params={"text": text}))


def reading(descriptor: int) -> MessageReader:
    """A reader whose own replies nobody reads."""
    with open(os.devnull, "wb") as nothing:  # noqa: PTH123 - a device
        return MessageReader(descriptor, MessageWriter(os.dup(nothing.fileno())))


async def received_by(reader: MessageReader) -> SessionMessage | Exception:
    with anyio.fail_after(SECONDS):
        return await reader.receive()
    raise TimeoutError


async def method_of(reader: MessageReader) -> str:
    received = await received_by(reader)
    assert isinstance(received, SessionMessage)
    assert isinstance(received.message, JSONRPCNotification)
    return received.message.method


# Reading


async def test_messages_come_whole_however_they_are_cut(ends: Ends) -> None:
    reader = reading(ends[0])
    first, second, third = (line(name) for name in ("first", "second", "third"))
    os.write(ends[1], first + second + third[:10])
    assert [await method_of(reader), await method_of(reader)] == ["first", "second"]
    with anyio.move_on_after(0.01):
        await reader.receive()
    os.write(ends[1], third[10:])
    assert await method_of(reader) == "third"


async def test_a_message_longer_than_any_pipe_comes_whole(ends: Ends) -> None:
    reader, writer = reading(ends[0]), MessageWriter(ends[1])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(writer.send, message("long", "é" * LONG))
        assert await received_by(reader) == message("long", "é" * LONG)


async def test_a_line_that_is_no_message_is_answered_and_the_next_is_read(ends: Ends, tmp_path: Path) -> None:
    path = tmp_path / "replies"
    with path.open("wb") as file:
        reader = MessageReader(ends[0], MessageWriter(file.fileno()))
        os.write(ends[1], b"none\n\n" + line("next").replace(b"\n", b"\r\n"))
        assert await method_of(reader) == "next"
    (reply,) = map(json.loads, path.read_text().splitlines())
    assert (reply["id"], reply["error"]["code"]) == (None, PARSE_ERROR)


async def test_a_host_that_does_not_listen_any_more_may_send_what_is_no_message(ends: Ends) -> None:
    reply, gone = os.pipe()
    os.close(reply)
    reader = MessageReader(ends[0], MessageWriter(gone))
    os.write(ends[1], b"none\n" + line("next"))
    assert await method_of(reader) == "next"
    os.close(gone)


async def test_bytes_that_are_no_text_spoil_only_themselves(ends: Ends) -> None:
    reader = reading(ends[0])
    os.write(ends[1], line("spoiled", text="?").replace(b"?", b"\xff"))
    assert await reader.receive() == message("spoiled", "\ufffd")


async def test_the_last_line_needs_no_end(ends: Ends) -> None:
    reader = reading(ends[0])
    os.write(ends[1], line("last").rstrip())
    os.close(ends[1])
    assert await method_of(reader) == "last"
    assert [received async for received in reader] == []


async def test_a_host_that_died_with_messages_unread_is_an_end_like_any_other() -> None:
    own, other = pair()
    await MessageWriter(own).send(message("unread"))
    os.close(other)
    with pytest.raises(anyio.EndOfStream):
        await reading(own).receive()
    os.close(own)


async def test_a_descriptor_that_others_made_non_blocking_is_waited_for(ends: Ends) -> None:
    os.set_blocking(ends[0], False)
    reader = reading(ends[0])
    async with anyio.create_task_group() as tasks:

        async def write_late() -> None:
            await anyio.lowlevel.checkpoint()
            os.write(ends[1], line("late"))

        tasks.start_soon(write_late)
        assert await method_of(reader) == "late"


async def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "requests"
    path.write_bytes(line("one") + line("two"))
    with path.open("rb") as file:
        reader = reading(file.fileno())
        assert [await method_of(reader), await method_of(reader)] == ["one", "two"]
        with pytest.raises(anyio.EndOfStream):
            await reader.receive()


# Writing


async def test_messages_of_many_senders_stay_apart(ends: Ends) -> None:
    reader, writer = reading(ends[0]), MessageWriter(ends[1])
    names = [f"sender-{number}" for number in range(20)]
    async with anyio.create_task_group() as tasks:
        for name in names:
            tasks.start_soon(writer.send, message(name, name * 2000))
        assert sorted([await method_of(reader) for _ in names]) == sorted(names)


async def test_a_host_that_does_not_read_holds_up_its_messages_alone(ends: Ends) -> None:
    writer = MessageWriter(ends[1])
    other_went_on = False
    with anyio.move_on_after(SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.send, message("unread", "x" * LONG))
            await anyio.lowlevel.checkpoint()
            other_went_on = True
            tasks.cancel_scope.cancel()
    assert other_went_on


async def test_a_sender_that_is_cancelled_tears_no_message(ends: Ends) -> None:
    reader, writer = reading(ends[0]), MessageWriter(ends[1])
    sent = message("cut", "x" * LONG)
    with anyio.move_on_after(0.05) as cut:
        await writer.send(sent)
    assert cut.cancelled_caught
    async with anyio.create_task_group() as tasks:
        # One that is cancelled before its turn is not written at all.
        with anyio.move_on_after(0) as never:
            await writer.send(message("never"))
        assert never.cancelled_caught
        tasks.start_soon(writer.send, message("next"))
        assert await reader.receive() == sent
        assert await method_of(reader) == "next"


async def test_a_host_that_is_gone_breaks_the_stream_and_nothing_else(ends: Ends) -> None:
    writer = MessageWriter(ends[1])
    os.close(ends[0])
    with pytest.raises(anyio.BrokenResourceError):
        await writer.send(message("unheard"))


async def test_nothing_is_written_after_the_end(ends: Ends) -> None:
    reader, writer = reading(ends[0]), MessageWriter(ends[1])
    await writer.send(message("heard"))
    await writer.aclose()
    with pytest.raises(anyio.ClosedResourceError):
        await writer.send(message("unheard"))
    assert await method_of(reader) == "heard"


async def test_a_file_is_written_without_waiting(tmp_path: Path) -> None:
    path = tmp_path / "replies"
    with path.open("wb") as file:
        await MessageWriter(file.fileno()).send(message("kept", "x" * LONG))
    assert json.loads(path.read_bytes())["method"] == "kept"


# The process's own

CLAIMED = """
import anyio, subprocess, sys
from opencode_mcp.server.stdio.descriptors import claim_descriptors
from opencode_mcp.server.stdio.message_streams import MessageReader, MessageWriter

async def echo():
    source, target = claim_descriptors()
    writer = MessageWriter(target)
    reader = MessageReader(source, writer)
    print("stray", flush=True)
    child = "import sys; print(repr(sys.stdin.read()), 'of a child', flush=True)"
    subprocess.run([sys.executable, "-c", child], check=True)
    async for message in reader:
        await writer.send(message)

anyio.run(echo)
"""


def test_stdin_and_stdout_are_for_messages_alone() -> None:
    done = subprocess.run(  # noqa: S603 - the test's own command
        [sys.executable, "-c", CLAIMED],
        input=line("echoed"),
        env=basics(),
        capture_output=True,
        timeout=SECONDS,
        check=True,
    )
    assert json.loads(done.stdout)["method"] == "echoed"
    assert done.stderr.split(b"\n") == [b"stray", b"'' of a child", b""]
