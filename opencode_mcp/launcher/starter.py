"""Start ``opencode serve`` on loopback and wait until it is healthy; the module knows nothing of other bridges.

Everything is written before the process starts, and the process is recorded on disk before it may stay. So neither a
full disk nor the end of the bridge leaves a server without a record.
"""

import secrets
import time
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.disk.state_folder import unusable
from opencode_mcp.errors import BridgeError, InvalidSetting, OpenCodeNotStarting, Unauthorized
from opencode_mcp.launcher.data_folder import data_lock
from opencode_mcp.launcher.executables.serve_command import (
    announced_url,
    serve_command,
    serve_environment,
    serve_username,
)
from opencode_mcp.launcher.guarding.guard import Plan
from opencode_mcp.launcher.guarding.guarded_start import GuardedServer
from opencode_mcp.launcher.health import await_healthy, check
from opencode_mcp.launcher.output_in_errors import read_output
from opencode_mcp.launcher.server_record import ServerRecord, StateFiles, variables_of
from opencode_mcp.launcher.stopping import interrupting_command
from opencode_mcp.opencode.versions import versions_supported
from opencode_mcp.processes.ending import end, gone
from opencode_mcp.processes.identity import NO_PROCESS
from opencode_mcp.settings import DEPTH_VARIABLE, INSIDE_VARIABLE

if TYPE_CHECKING:
    from opencode_mcp.launcher.executables.executable import Executable
    from opencode_mcp.settings import Settings

READ_BYTES = 65_536
READY_TIMEOUT_SECONDS = 30.0
"""Time within which a started OpenCode must be healthy."""
POLL_SECONDS = 0.05
GRACE_SECONDS = 2.0
PASSWORD_BYTES = 32
MARK = "OPENCODE_MCP_START"
ASK_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Start:
    """Server that is about to be started."""

    record: ServerRecord
    environment: Mapping[str, str]
    plan: Plan


class Starter:
    """Starts servers.

    Args:
        settings: The environment that servers inherit, and their working directory.
        files: Files of their record and their output.
    """

    def __init__(self, settings: "Settings", files: StateFiles) -> None:
        self._settings = settings
        self._files = files

    async def start(self, executable: "Executable", *, timeout: float) -> ServerRecord:
        """Start a server, which chooses its port itself.

        Args:
            executable: The ``opencode`` to run.
            timeout: Seconds within which it must be healthy.

        Raises:
            OpenCodeNotStarting: It ended, or was not healthy in time.
            UnsupportedVersion: It is too old.
            InvalidSetting: A file cannot be written, or the OpenCode 2 of another state folder uses the data. No
                process is left running.
        """
        start = self._prepare(executable)
        deadline = anyio.current_time() + timeout
        self._files.write_record(start.record)
        record = start.record
        async with aclosing(GuardedServer(self._files)) as guarded:
            # A cancellation here would leave a process without a record.
            with anyio.CancelScope(shield=True):
                await self._open(guarded, start)
                record = await self._record(guarded, record)
            return await self._until_ready(guarded, replace(start, record=record), deadline, timeout)

    def _prepare(self, executable: "Executable") -> Start:
        password, token = secrets.token_urlsafe(PASSWORD_BYTES), secrets.token_hex(8)
        generation = executable.generation
        username = serve_username(generation, self._settings.username)
        environment = {
            **serve_environment(generation, self._settings.environment, username=username, password=password),
            DEPTH_VARIABLE: str(self._settings.depth + 1),
            INSIDE_VARIABLE: str(self._files.directory),
            MARK: token,
        }
        record = ServerRecord(
            url="",
            username=username,
            password=password,
            process=NO_PROCESS,
            executable=str(executable.path),
            started=time.time(),
            generation=generation,
            variables=variables_of(self._settings, generation),
        )
        directory = working_directory(self._settings)
        plan = Plan(
            command=serve_command(executable),
            environment=environment,
            directory=str(directory),
            lock=str(self._files.lock),
            leases=str(self._files.leases),
            record=str(self._files.record),
            mark=(MARK, token),
            stop_after=self._settings.stop_after,
            guard=str(self._files.guard),
            hold_input=generation != 1,
            before_end=interrupting_command(self._files, generation),
            data_lock="" if generation == 1 else data_lock(environment, directory),
            state=str(self._settings.state_directory),
        )
        return Start(record, environment, plan)

    async def _open(self, guarded: GuardedServer, start: Start) -> None:
        try:
            await guarded.open(start.plan)
        except OSError as error:
            self._files.remove_record()
            raise unusable(self._files.directory, error) from error

    async def _record(self, guarded: GuardedServer, record: ServerRecord) -> ServerRecord:
        """Record the process on disk, and only then let it stay."""
        try:
            process = await guarded.process()
        except (OpenCodeNotStarting, InvalidSetting):
            self._files.remove_record()
            raise
        record = replace(record, process=process)
        try:
            self._files.write_record(record)
        except InvalidSetting:
            await guarded.aclose()
            await gone(process, within=2 * GRACE_SECONDS)
            self._files.remove_record()
            raise
        await guarded.keep()
        return record

    async def _until_ready(self, guarded: GuardedServer, start: Start, deadline: float, timeout: float) -> ServerRecord:
        try:
            ready = await await_ready(start.record, self._files, within=deadline - anyio.current_time())
            if ready is None:
                raise await self._failure(guarded, start, timeout)
            _check_generation(ready, start.record)
            await _check_password(ready)
            self._files.write_record(ready)
        except BridgeError:
            await end(start.record.process, grace=GRACE_SECONDS)
            self._files.remove_record()
            raise
        await guarded.ready()
        return ready

    async def _failure(self, guarded: GuardedServer, start: Start, within: float) -> OpenCodeNotStarting:
        outcome = f"was not healthy within {within:.0f} s"
        if not await start.record.process.runs():
            code = await guarded.exit_code()
            outcome = "ended" if code is None else f"ended with exit code {code}"
        printed = read_output(self._files.output, start.environment) or "nothing"
        message = f"`{start.record.executable} serve` {outcome}. It printed:\n{printed}\n"
        hint = f"Run `opencode serve` in a terminal, and fix what it reports. Supported are {versions_supported()}."
        return OpenCodeNotStarting(message, hint=hint)


async def await_ready(record: ServerRecord, files: StateFiles, *, within: float) -> ServerRecord | None:
    """Wait until a server has printed its address and answers there.

    Args:
        record: The record so far.
        files: Files of the server, one of which holds its output.
        within: Seconds until the wait ends.

    Returns:
        The complete record; ``None`` if the wait ended, or the server did.

    Raises:
        UnsupportedVersion: It is too old.
    """
    deadline = anyio.current_time() + within
    with anyio.move_on_after(within):
        while not (url := record.url or _announced(files.output)):
            if not await record.process.runs():
                return None
            await anyio.sleep(POLL_SECONDS)
        found = replace(record, url=url)
        left = deadline - anyio.current_time()
        health = await await_healthy(found.endpoint, within=left, wanted=record.process.runs)
        return replace(found, version=health.version, generation=health.generation) if health else None
    return None


def _announced(output: Path) -> str:
    """Return the address that the server printed; empty if it has printed none yet."""
    try:
        with output.open("rb") as file:
            return announced_url(file.read(READ_BYTES))
    except FileNotFoundError:
        return ""


def _check_generation(record: ServerRecord, expected: ServerRecord) -> None:
    """Check that the server is of the generation that its executable seemed to have."""
    if record.generation != expected.generation:
        message = (
            f"`{record.executable}` serves OpenCode {record.version}, and was expected to serve OpenCode "
            f"{expected.generation}."
        )
        raise OpenCodeNotStarting(message, hint="Call again: its version is then read anew.")


async def _check_password(record: ServerRecord) -> None:
    """Check that the server refuses requests without the password."""
    try:
        await check(replace(record.endpoint, password=""), timeouts=[ASK_TIMEOUT_SECONDS])
    except Unauthorized:
        return
    message = f"`{record.executable} serve` does not ask for the password that it was started with."
    raise OpenCodeNotStarting(message, hint="Update OpenCode.")


def working_directory(settings: "Settings") -> Path:
    """Return the working directory of a server: the first listed directory that exists, or the bridge's.

    OpenCode opens that directory as a project, so it is the home directory if no project is known to be allowed.
    """
    listed = [Path(path) for path in settings.directories] or [settings.started_in]
    # Some hosts start their servers in the root, and OpenCode would treat the whole disk as a project.
    return next((path for path in listed if path.is_dir() and path != Path(path.anchor)), Path.home())
