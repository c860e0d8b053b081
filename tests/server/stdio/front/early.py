"""A connection in this process: a host's ends of two pipes, the front in a thread, and then the real server."""

import json
import os
import select
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from opencode_mcp.server.app import build_server
from opencode_mcp.server.mcp_server import BridgeServer
from opencode_mcp.server.stdio.front.fingerprint import fingerprint_of
from opencode_mcp.server.stdio.front.front import Front
from opencode_mcp.server.stdio.front.saved_responses import FOLDER, SavedResponses
from opencode_mcp.settings import Settings
from tests.harness.bridges.rawrpc import Host, strictly_parsed

Json = dict[str, Any]

SECONDS = 60.0
LEGACY = HANDSHAKE_PROTOCOL_VERSIONS[-1]
MODERN = "2026-07-28"
PROTOCOLS = (*HANDSHAKE_PROTOCOL_VERSIONS, "2023-01-01", MODERN)
"""Every version that the SDK serves, and one that it does not know and answers with another."""
INITIALIZED: Json = {"jsonrpc": "2.0", "method": "notifications/initialized"}
FINGERPRINTS: dict[str, str] = {}
"""Fingerprints of this process, by the settings: each looks at all files of the bridge."""
PREPARED: dict[str, dict[str, bytes]] = {}
"""Saved responses to the first messages in a protocol version: names and contents of the files."""
NOTHING = ("prompts/list", "resources/templates/list")
"""Methods that the front never answers."""


def request(request_id: object, method: str, params: Mapping[str, object] | None = None, **changes: object) -> Json:
    """A request of the legacy era."""
    return {
        "jsonrpc": "2.0",
        "id": request_id,
        "method": method,
        **({} if params is None else {"params": params}),
    } | changes


def opening(protocol: str = LEGACY, request_id: object = 1, **changes: object) -> Json:
    """The first request of a connection."""
    host = Host(protocol, capabilities={"roots": {"listChanged": True}, "elicitation": {}})
    if host.modern:
        return request(request_id, "server/discover", {"_meta": host.envelope()} | changes)
    params = {"protocolVersion": protocol, "capabilities": dict(host.capabilities), "clientInfo": host.info}
    return request(request_id, "initialize", params | changes)


def listing(protocol: str = LEGACY, request_id: object = 2) -> Json:
    """The request for the tools."""
    host = Host(protocol, capabilities={"elicitation": {}})
    return request(request_id, "tools/list", {"_meta": host.envelope()} if host.modern else None)


def first_messages(protocol: str = LEGACY) -> list[Json]:
    """Return the first messages of a host."""
    between = [] if protocol == MODERN else [INITIALIZED]
    return [opening(protocol), *between, listing(protocol)]


def own_fingerprint(settings: Settings) -> str:
    """The fingerprint of this process, which does not depend on the place of the saved responses."""
    key = repr(replace(settings, state_directory=Path()))
    if key not in FINGERPRINTS:
        FINGERPRINTS[key] = fingerprint_of(settings)
    return FINGERPRINTS[key]


class Connection:
    """A host's side, and the moment at which the SDK is imported."""

    def __init__(self, settings: Settings, fingerprint: str | None, server: BridgeServer | None) -> None:
        self._source, self._to_bridge = os.pipe()
        self._from_bridge, self._target = os.pipe()
        self._loaded, self._loading = os.pipe()
        responses = SavedResponses(settings.state_directory)
        responses.load()
        self._front = Front(self._source, self._target, fingerprint or own_fingerprint(settings), responses)
        self._buffer = bytearray()
        self.server = server or build_server(settings)

    async def serve(self) -> None:
        """Run the front, then the server, until the host closes its end."""
        await anyio.to_thread.run_sync(self._front.run, self._loaded)
        await self.server.run_over(self._front.takeover())

    def load(self) -> None:
        """Let the front find that the SDK is imported."""
        if self._loading >= 0:
            os.close(self._loading)
            self._loading = -1

    async def send(self, *messages: object) -> None:
        """Send messages, each in a line."""
        await self.send_bytes(b"".join(json.dumps(message).encode() + b"\n" for message in messages))

    async def send_bytes(self, data: bytes) -> None:
        """Send bytes."""
        with anyio.fail_after(SECONDS):
            while data:
                await anyio.wait_writable(self._to_bridge)
                data = data[os.write(self._to_bridge, data[: select.PIPE_BUF]) :]

    async def receive(self) -> Any:  # noqa: ANN401 - any JSON
        """The next line from the bridge."""
        with anyio.fail_after(SECONDS):
            while b"\n" not in self._buffer:
                await anyio.wait_readable(self._from_bridge)
                data = os.read(self._from_bridge, 65536)
                if not data:
                    raise EOFError
                self._buffer += data
        line, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer[:] = rest
        return strictly_parsed(line)

    async def received(self, number: int) -> list[Json]:
        """The next lines from the bridge."""
        return [await self.receive() for _ in range(number)]

    async def is_silent(self) -> bool:
        """Return True if the front has read everything that was sent, and answered none of it."""
        await self.send(request("is it read?", "ping"))
        reply = await self.receive()
        return reply == {"jsonrpc": "2.0", "id": "is it read?", "result": {}}

    def hang_up(self) -> None:
        """Close the host's end."""
        if self._to_bridge >= 0:
            os.close(self._to_bridge)
            self._to_bridge = -1

    def listen_no_more(self) -> None:
        """Close the end that the host reads."""
        os.close(self._from_bridge)
        self._from_bridge = -1

    def close(self) -> None:
        """Close what is open."""
        for descriptor in (self._source, self._target, self._from_bridge):
            with suppress(OSError):
                os.close(descriptor)


@asynccontextmanager
async def connected(
    settings: Settings, *, fingerprint: str | None = None, server: BridgeServer | None = None
) -> AsyncGenerator[Connection]:
    """Open a connection; leaving imports the SDK, if the test has not, and waits until the server has ended.

    Args:
        settings: Those of the front and the server.
        fingerprint: Another digest than that of this process.
        server: One that was built before, with settings that list the same tools.
    """
    connection = Connection(settings, fingerprint, server)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(connection.serve)
            try:
                yield connection
            finally:
                connection.load()
                connection.hang_up()
    finally:
        connection.close()


def settings_in(folder: Path, **changes: Any) -> Settings:  # noqa: ANN401 - fields of Settings
    """Settings with a state folder."""
    return replace(Settings(state_directory=folder / "state"), **changes)


async def responses_of_sdk(
    settings: Settings, messages: list[Json], *, server: BridgeServer | None = None
) -> list[Json]:
    """Send messages once the SDK is imported, which answers them if nothing is saved."""
    async with connected(settings, server=server) as connection:
        connection.load()
        await connection.send(*messages)
        return await connection.received(sum("id" in message for message in messages))


async def early_responses(
    settings: Settings, messages: list[Json], *, server: BridgeServer | None = None
) -> list[Json]:
    """Send messages to a front whose SDK is not imported before it has answered all requests."""
    async with connected(settings, server=server) as connection:
        await connection.send(*messages)
        return await connection.received(sum("id" in message for message in messages))


async def prepared(folder: Path, protocol: str = LEGACY) -> Settings:
    """Settings whose first responses are saved; the SDK gives them once, and other tests get copies of the files."""
    settings = settings_in(folder)
    if protocol in PREPARED:
        (settings.state_directory / FOLDER).mkdir(parents=True)
        for name, content in PREPARED[protocol].items():
            (settings.state_directory / FOLDER / name).write_bytes(content)
    else:
        await responses_of_sdk(settings, first_messages(protocol))
        PREPARED[protocol] = {file.name: file.read_bytes() for file in saved_files(settings)}
    return settings


def saved_files(settings: Settings) -> list[Path]:
    """The files with saved responses."""
    return sorted((settings.state_directory / FOLDER).iterdir())
