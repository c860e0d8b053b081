"""Starts ``opencode serve`` on loopback and waits until it is healthy; knows nothing of other bridges.

The record is on disk as soon as the process runs, so that a bridge that dies or gives up here leaves nothing unknown.
"""

import secrets
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import Popen
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from opencode_mcp.errors import OpenCodeNotStarting
from opencode_mcp.opencode.child_output import read_output
from opencode_mcp.opencode.health import await_healthy
from opencode_mcp.opencode.process_birth import born
from opencode_mcp.opencode.processes import Process, end, spawn
from opencode_mcp.opencode.state_file import ServerRecord, StateFiles
from opencode_mcp.opencode.state_folder import open_private

if TYPE_CHECKING:
    from opencode_mcp.config import Settings

HOST = "127.0.0.1"
PORTS_TRIED = 3
PORT_TIMEOUT = 1.0
GRACE = 2.0
PASSWORD_BYTES = 32


@dataclass(frozen=True, slots=True)
class Child:
    """A server that was just started."""

    record: ServerRecord
    process: Popen[bytes]
    environment: Mapping[str, str]

    async def runs(self) -> bool:
        """Whether it has not ended by itself."""
        return self.process.returncode is None


class Starter:
    """Starts servers.

    Args:
        settings: The environment that they inherit, and where they work.
        files: Where their record and their output go.
    """

    def __init__(self, settings: "Settings", files: StateFiles) -> None:
        self._settings = settings
        self._files = files

    async def start(self, executable: Path, *, timeout: float) -> ServerRecord:
        """Start a server, on another port where the first was taken meanwhile.

        Args:
            executable: The ``opencode`` to run.
            timeout: Seconds until it must be healthy.

        Raises:
            OpenCodeNotStarting: It ended, or was not healthy in time.
        """
        deadline = anyio.current_time() + timeout
        for _ in range(PORTS_TRIED - 1):
            port = free_port()
            try:
                return await self._start_on(port, executable, deadline)
            except OpenCodeNotStarting:
                if not await _is_taken(port):
                    raise
        return await self._start_on(free_port(), executable, deadline)

    async def _start_on(self, port: int, executable: Path, deadline: float) -> ServerRecord:
        began = anyio.current_time()
        child = await to_thread.run_sync(self._spawn, executable, port)
        within = deadline - began
        health = await await_healthy(child.record.endpoint, within=within, wanted=child.runs)
        # Where it has ended, another server has answered on its port.
        if health is None or child.process.returncode is not None:
            error = self._failure(child, within)
            await end(child.record.process, grace=GRACE)
            self._files.remove_record()
            raise error
        record = replace(child.record, version=health.version)
        self._files.write_record(record)
        return record

    def _spawn(self, executable: Path, port: int) -> Child:
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        username = self._settings.username
        environment = {
            **self._settings.environment,
            "OPENCODE_SERVER_USERNAME": username,
            "OPENCODE_SERVER_PASSWORD": password,
        }
        process = self._run([str(executable), "serve", "--hostname", HOST, "--port", str(port)], environment)
        record = ServerRecord(
            url=f"http://{HOST}:{port}",
            username=username,
            password=password,
            process=Process(process.pid, born(process.pid)),
            executable=str(executable),
            started=time.time(),
        )
        self._files.write_record(record)
        return Child(record, process, environment)

    def _run(self, command: list[str], environment: Mapping[str, str]) -> Popen[bytes]:
        directory = working_directory(self._settings)
        try:
            with open_private(self._files.output) as output:
                return spawn(command, environment=environment, directory=directory, output=output)
        except OSError as error:
            message = f"{command[0]} cannot be run: {error.strerror or error}."
            raise OpenCodeNotStarting(message, hint="Name a working one with --opencode or OPENCODE_BIN.") from error

    def _failure(self, child: Child, within: float) -> OpenCodeNotStarting:
        code = child.process.returncode
        fate = f"was not healthy within {within:.0f} s" if code is None else f"ended with exit code {code}"
        printed = read_output(self._files.output, child.environment) or "nothing"
        message = f"`{child.record.executable} serve` {fate}. It printed:\n{printed}\n"
        return OpenCodeNotStarting(message, hint="Run `opencode serve` in a terminal, and mend what it says.")


def working_directory(settings: "Settings") -> Path:
    """Where a server starts: the first of the operator's directories that exists, else where the bridge did."""
    named = next((path for path in map(Path, settings.directories) if path.is_dir()), None)
    if named is not None:
        return named
    here = Path.cwd()
    # Some hosts start their servers in the root, and OpenCode would take the whole disk for a project.
    return here if here != Path(here.anchor) else Path.home()


def free_port() -> int:
    """A TCP port on loopback that was free a moment ago."""
    with socket.create_server((HOST, 0)) as listener:
        return listener.getsockname()[1]


async def _is_taken(port: int) -> bool:
    try:
        with anyio.fail_after(PORT_TIMEOUT):
            stream = await anyio.connect_tcp(HOST, port)
    except (OSError, TimeoutError):
        return False
    await stream.aclose()
    return True
