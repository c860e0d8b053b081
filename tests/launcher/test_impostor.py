"""A program that takes the port of an OpenCode that ended gets nothing: no password, and no prompt."""

import os
import signal
import socket
import threading
import time
from collections.abc import Generator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from opencode_mcp.errors import BackendUnavailable
from opencode_mcp.launcher.connection import Connection
from opencode_mcp.launcher.health import answers, is_busy
from opencode_mcp.launcher.launcher import Launcher
from opencode_mcp.launcher.server_record import StateFiles
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.codec import encode
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.opencode.http_client.transport import Transport
from opencode_mcp.processes.ending import gone
from opencode_mcp.settings import Settings
from tests.harness.operations import operation

pytestmark = [pytest.mark.anyio, pytest.mark.integration]
PROMPT = "a prompt that nobody else may read"
BODY = b'{"healthy":true,"version":"1.18.33"}'
HEALTHY = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(BODY), BODY)


class Impostor:
    """Listens where OpenCode did, answers that all is well, and keeps every byte."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.connections = 0
        self.received = b""

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                with connection, suppress(OSError):
                    connection.settimeout(5)
                    self.received += connection.recv(65_536)
                    connection.sendall(HEALTHY)


def listening(port: int) -> socket.socket:
    """Bind a port as soon as it is free."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.01)


@contextmanager
def impostor_at(url: str) -> Generator[Impostor]:
    """Take a port that was just given up."""
    with listening(urlsplit(url).port or 0) as listener:
        impostor = Impostor(listener)
        thread = threading.Thread(target=impostor.serve)
        thread.start()
        try:
            yield impostor
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


async def replaced(endpoint: Endpoint) -> None:
    """Kill the server and wait until its port is free."""
    assert endpoint.process
    os.kill(endpoint.process.pid, signal.SIGKILL)
    await gone(endpoint.process, within=10)


async def assert_only_its_own_address_is_believed(endpoint: Endpoint) -> None:
    """Check that a program at another address is not taken for a living server, whose process does not listen there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with impostor_at(url) as impostor:
        assert not await answers(replace(endpoint, url=url))
    assert impostor.received == b""
    assert await answers(endpoint)


async def test_who_takes_the_port_of_a_dead_server_receives_nothing_and_the_calls_go_to_a_new_one(
    settings: Settings, state: StateFiles, project: Path
) -> None:
    async with aclosing(Connection(Launcher(settings))) as connection:
        client = OpenCodeClient(connection)
        session = await client.session_create(str(project))
        old = (await connection.transport()).endpoint
        await replaced(old)
        with impostor_at(old.url) as impostor:
            body = {"parts": [{"type": "text", "text": PROMPT}], "noReply": True}
            await client.call("session.prompt_async", path={"sessionID": session.id}, directory=str(project), body=body)
            async with client.events(silence=20) as events:
                assert await anext(events) == []
            record = state.read_record()
            assert record
            assert record.process.pid != old.pid
            # What still remembers the old address, each in its own way.
            assert not await answers(old)
            assert not await is_busy(old, since=0)
            async with aclosing(Transport(old)) as transport:
                with pytest.raises(BackendUnavailable) as refused:
                    async with transport.websocket(encode(operation("pty.connect"), path={"ptyID": "pty_1"})):
                        pass
            assert not refused.value.sent
        assert impostor.connections > 0
        assert impostor.received == b""
        await assert_only_its_own_address_is_believed((await connection.transport()).endpoint)
