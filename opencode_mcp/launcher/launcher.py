"""Find, start, share and stop the OpenCode server of a bridge.

Design. All bridges of one user whose environment means the same to OpenCode share one server, because each OpenCode
takes about 2 s to start and 500 MB of memory, and because sessions belong to one server at a time. The bridges have no
coordinator; they agree through files in the state folder (see ``server_record.py``):

- ``server.lock`` serializes the bridges that search, start or stop. All decisions below are made while it is held.
- ``server.json`` is the record of the server: address, password, process.
- A lease is a lock file that a bridge holds while it uses the server. The kernel releases it however the bridge dies.
- The guard (see ``guard``) ends a server that no bridge uses for a long time.

``locate`` attaches to the operator's URL if there is one; otherwise it takes its lease, reads the record, and shares
the server if it answers. A dead server is forgotten, a silent idle one is ended, and a new one is started. ``aclose``
releases the lease; the last bridge stops the server, unless a session is busy. Then the server is left running: the
next bridge finds it, or the guard ends it. The same happens after a bridge was killed.

An OpenCode 1 and an OpenCode 2 can run side by side, each with its own files. Two OpenCode 2 on one data folder would
both work on a prompt, so of these there is only one for each data folder, whatever the environment of the bridges.
Bridges with different state folders do not see each other's records; the lock that a guard holds beside the data
excludes a second server.

Rejected alternatives:

- One OpenCode per bridge: a host that opens ten windows would start ten servers, and a session that one of them runs
  would look idle to the others.
- A port that is fixed or derived from the user: another program can take it, and would receive the password.
- A reference count in a file: a killed bridge never decrements it. Leases are locks instead, which the kernel frees.
- To stop the server whenever the last bridge ends: the host restarts bridges often, and runs would be aborted.
- To search without a lock and retry: two bridges that start at the same moment would start two servers.

Invariants:

- The endpoint that ``locate`` returns was healthy a moment ago.
- A bridge releases its lease before it releases ``server.lock``, so of two bridges that end together one is the last.
- A bridge that runs inside an OpenCode that a bridge started uses that one and holds no lease; otherwise each would
  keep the other alive.
- A server at a URL of the operator, and the background service of the user, is neither started nor stopped.
- ``aclose`` takes about two seconds at most: hosts kill a bridge that needs longer.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from opencode_mcp.disk.bridge_locks import Lease, hold
from opencode_mcp.disk.state_folder import unusable
from opencode_mcp.errors import (
    BackendUnavailable,
    NotAllowed,
    NotOpenCode,
    OpenCodeNotInstalled,
    OpenCodeNotStarting,
    SettingsChange,
    Unauthorized,
)
from opencode_mcp.launcher.background_service import is_registered, service_endpoint, stale_hint
from opencode_mcp.launcher.executables.executable import Executable, find_executable
from opencode_mcp.launcher.executables.executable_version import forget_versions
from opencode_mcp.launcher.guarding.guarded_start import guard_again
from opencode_mcp.launcher.health import answers, check, is_busy
from opencode_mcp.launcher.server_record import ServerRecord, StateFiles, files_for, files_without_executable
from opencode_mcp.launcher.sharing import UNRESPONSIVE_GRACE_SECONDS, Sharing
from opencode_mcp.launcher.starter import READY_TIMEOUT_SECONDS, Starter
from opencode_mcp.launcher.stopping import stop
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.opencode.versions import Generation

if TYPE_CHECKING:
    from opencode_mcp.settings import Settings

logger = logging.getLogger(__name__)

ANSWER_TIMEOUT_SECONDS = 10.0
ATTACH_TIMEOUTS_SECONDS = (1.0, 5.0, 10.0)
"""The first is short because a server that has just opened its port never answers its first request."""
ATTACH_HINT = (
    "It is the background service of OpenCode 2: with --attach service, this MCP server takes its password from it."
)
# A host gives a bridge about two seconds to end.
RELEASE_TIMEOUT_SECONDS = 0.5
IDLE_GRACE_SECONDS: Mapping[Generation, float] = {1: 0.25, 2: 0.75}
"""OpenCode 2 ends what its sessions left in the background, and then itself, within about half a second."""


class Launcher:
    """Finds, starts, shares and stops the server of one bridge.

    Args:
        settings: Settings of the operator.
        start_timeout: Seconds within which a started server must be healthy.
        answer_timeout: Seconds within which a server that runs already must answer before it is replaced.
    """

    def __init__(
        self,
        settings: "Settings",
        *,
        start_timeout: float = READY_TIMEOUT_SECONDS,
        answer_timeout: float = ANSWER_TIMEOUT_SECONDS,
    ) -> None:
        self._settings = settings
        self._start_timeout = start_timeout
        self._answer_timeout = answer_timeout
        self._sharing = Sharing(settings, start_timeout=start_timeout, answer_timeout=answer_timeout)
        self._files: StateFiles | None = None
        self._turn = anyio.Lock()
        self._server: ServerRecord | None = None
        self._lease: Lease | None = None
        self.started = False
        """True if this bridge started the server; False if it found one that ran already."""

    async def locate(self) -> Endpoint:
        """Attach to the operator's server, or share the one that runs, or start one.

        The server is healthy when this returns. Call it when a server is first needed and again when it was lost.
        Concurrent calls share one start. If the caller of a start is cancelled, the start continues and the next call
        finds the server.

        Raises:
            NotOpenCode: Another program answers at the operator's URL.
            InvalidSetting: The registration of the background service or the state folder cannot be used, or the data
                folder of OpenCode 2 is in use.
            UnsupportedVersion: The server is too old.
            Unauthorized: The server refused the operator's password.
            BackendUnavailable: Nothing answers at the operator's URL.
            BackendTimeout: The server accepted the request and did not answer.
            OpenCodeNotInstalled: There is no executable to start.
            OpenCodeNotStarting: OpenCode ended, or was not healthy in time.
            NotAllowed: This bridge runs inside an OpenCode that a bridge started, and the operator allows no delegation
                there.
        """
        self._check_depth()
        async with self._turn:
            if self._settings.attached:
                return await self._attach()
            if self._server is None or not await answers(self._server.endpoint):
                self._server = await (self._share_or_start() if self._settings.depth == 0 else self._enclosing_server())
            return self._server.endpoint

    def _check_depth(self) -> None:
        depth, most = self._settings.depth, self._settings.max_depth
        if depth >= most:
            message = f"This MCP server runs inside an OpenCode that opencode-mcp started; --max-depth is {most}."
            change = SettingsChange(f"--max-depth {depth + 1}")
            raise NotAllowed(message, hint="Do the work yourself.", change=change)

    async def _enclosing_server(self) -> ServerRecord:
        """Return the server inside which this bridge runs."""
        record = StateFiles(Path(self._settings.inside)).read_record()
        if record is None or not await answers(record.endpoint):
            raise BackendUnavailable("The OpenCode inside which this MCP server runs does not answer.", sent=False)
        return record

    async def aclose(self) -> None:
        """Release the server. The last bridge stops it, unless a session is busy. Takes about two seconds at most."""
        with anyio.CancelScope(shield=True):
            async with self._turn:
                if self._lease is not None and self._files is not None:
                    await self._release(self._lease, self._files)
                self._lease = self._server = None

    async def _attach(self) -> Endpoint:
        settings = self._settings
        endpoint = await self._named_endpoint()
        try:
            health = await check(endpoint, timeouts=ATTACH_TIMEOUTS_SECONDS)
        except NotOpenCode as error:
            hint = stale_hint(settings, endpoint) if settings.attach else error.hint
            raise NotOpenCode(f"The program at {endpoint.url} is not an OpenCode server.", hint=hint) from error
        except BackendUnavailable as error:
            if settings.attach:
                error.hint = stale_hint(settings, endpoint)
            raise
        except Unauthorized as error:
            if not settings.attach and is_registered(settings):
                error.hint = ATTACH_HINT
            raise
        return replace(endpoint, generation=health.generation)

    async def _named_endpoint(self) -> Endpoint:
        """Return the endpoint of the server that the operator named, by its URL or as the background service."""
        settings = self._settings
        if settings.attach:
            return await to_thread.run_sync(service_endpoint, settings)
        return Endpoint(url=settings.url, username=settings.username, password=settings.password)

    async def _share_or_start(self) -> ServerRecord:
        files, executable = await self._choose()
        files.prepare()
        # In the worst case the other bridge waits for a half-started server, ends it, and starts another one.
        timeout = 2 * self._start_timeout + self._answer_timeout + 2 * UNRESPONSIVE_GRACE_SECONDS
        try:
            async with hold(files.lock, timeout=timeout) as held:
                if not held:
                    message = f"Another opencode-mcp has held {files.lock} for {timeout:.0f} s."
                    raise OpenCodeNotStarting(message, hint="Call again; if that process hangs, end it.")
                lease = self._take_lease(files)
                return await self._sharing.share(files, lease, executable) or await self._start(files, executable)
        except OSError as error:
            raise unusable(files.directory, error) from error

    async def _choose(self) -> tuple[StateFiles, Executable | None]:
        """Return the files of the server to share, and the program that starts one; ``None`` if none is installed."""
        try:
            executable = await to_thread.run_sync(find_executable, self._settings, abandon_on_cancel=True)
        except OpenCodeNotInstalled:
            return files_without_executable(self._settings), None
        return files_for(self._settings, executable.generation), executable

    def _take_lease(self, files: StateFiles) -> Lease:
        """Take the lease of a server; the lease of a lost server of the other generation is released."""
        if self._lease and self._files != files:
            self._lease.release()
            self._lease = None
        self._files = files
        self._lease = self._lease or Lease(files.leases)
        return self._lease

    async def _start(self, files: StateFiles, executable: Executable | None) -> ServerRecord:
        executable = executable or await to_thread.run_sync(find_executable, self._settings)
        try:
            record = await Starter(self._settings, files).start(executable, timeout=self._start_timeout)
        except OpenCodeNotStarting:
            # It may have been started as the wrong generation.
            forget_versions(self._settings)
            raise
        self.started = True
        logger.info("Started OpenCode %s at %s (process %d).", record.version, record.url, record.process.pid)
        return record

    async def _release(self, lease: Lease, files: StateFiles) -> None:
        async with hold(files.lock, timeout=RELEASE_TIMEOUT_SECONDS) as held:
            try:
                # If another bridge holds the lock, that bridge lives and this one is not the last.
                if held and not lease.others_live():
                    await self._stop_unless_busy(files)
            finally:
                # Release before the next bridge gets the lock: of two that end together, one must see that it is the
                # last.
                lease.release()

    async def _stop_unless_busy(self, files: StateFiles) -> None:
        # The record may have been deleted together with the state folder.
        record = files.read_record() or self._server
        if record is None:
            return
        if await record.process.runs():
            if await is_busy(record.endpoint, since=record.started):
                self._keep_running(record, files)
                await guard_again(record.process, files, self._settings.stop_after)
                return
            await stop(record, grace=IDLE_GRACE_SECONDS[record.generation])
        files.remove_record()

    def _keep_running(self, record: ServerRecord, files: StateFiles) -> None:
        hours = self._settings.stop_after / 3600
        logger.warning(
            "OpenCode at %s (process %d) has a busy session and is left running. "
            "If no bridge uses it again, it is ended %.3g h after this (--stop-after).",
            record.url,
            record.process.pid,
            hours,
        )
        files.write_record(replace(record, left_busy=True))
