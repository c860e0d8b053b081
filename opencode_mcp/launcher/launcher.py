"""Finds, starts, shares and stops the OpenCode that a bridge works with.

All bridges of one user whose environment means the same to OpenCode share one server. A bridge that uses it holds a
lease; the last one to release it stops the server, unless a session is busy: then the next bridge finds it, or its
guard ends it after a while. The same holds after a bridge was killed. A bridge that runs inside such a server uses that
one and holds no lease, or the two would keep each other alive. A server at a URL that the operator named is neither
started nor stopped. What is said to it is not known here.
"""

import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from opencode_mcp.disk.state_folder import unusable
from opencode_mcp.errors import (
    BackendTimeout,
    BackendUnavailable,
    NotAllowed,
    NotOpenCode,
    OpenCodeNotInstalled,
    OpenCodeNotStarting,
)
from opencode_mcp.launcher.executable import find_executable
from opencode_mcp.launcher.guarded import guard_again
from opencode_mcp.launcher.health import answers, check, is_busy
from opencode_mcp.launcher.locks import Lease, hold
from opencode_mcp.launcher.serve import Starter, await_ready
from opencode_mcp.launcher.state_file import ServerRecord, StateFiles, files_for
from opencode_mcp.opencode.endpoint import Endpoint
from opencode_mcp.processes.identity import end

if TYPE_CHECKING:
    from opencode_mcp.config import Settings

logger = logging.getLogger(__name__)

START_TIMEOUT = 30.0
PATIENCE = 10.0
ATTACH_TIMEOUTS = (1.0, 5.0, 10.0)
"""The first is short because a server that has just opened its port never answers its first request."""
WEDGED_GRACE = 2.0
# A host gives a bridge about two seconds to end.
LEAVE_TIMEOUT = 0.5
IDLE_GRACE = 0.25


class Launcher:
    """Leads a bridge to its server.

    Args:
        settings: What the operator decided.
        start_timeout: Seconds within which a started server must be healthy.
        patience: Seconds within which a server that ran already must answer before it is replaced.
    """

    def __init__(
        self, settings: "Settings", *, start_timeout: float = START_TIMEOUT, patience: float = PATIENCE
    ) -> None:
        self._settings = settings
        self._start_timeout = start_timeout
        self._patience = patience
        self._files: StateFiles | None = None
        self._turn = anyio.Lock()
        self._server: ServerRecord | None = None
        self._lease: Lease | None = None
        self.started = False
        """Whether this bridge started the server, and did not find one that ran already."""

    async def locate(self) -> Endpoint:
        """Attach to the server that the operator named, else share the one that runs, else start one.

        It is healthy when this returns. Call it when a server is first needed, and again when it was lost; callers at
        the same time share one start. A start whose caller is cancelled goes on, and the next call finds it.

        Raises:
            NotOpenCode: Something else answers at the operator's URL.
            UnsupportedVersion: The server is too old.
            Unauthorized: It refused the operator's password.
            BackendUnavailable: Nothing answers at the operator's URL.
            BackendTimeout: It took the request and did not answer.
            OpenCodeNotInstalled: There is no executable to start.
            OpenCodeNotStarting: It ended, or was not healthy in time.
            InvalidSetting: The state directory cannot be used.
            NotAllowed: This bridge runs inside an OpenCode that a bridge started, and may not pass work on.
        """
        self._check_depth()
        async with self._turn:
            if self._settings.attached:
                return await self._attach()
            if self._server is None or not await answers(self._server.endpoint):
                self._server = await (self._share_or_start() if self._settings.depth == 0 else self._around())
            return self._server.endpoint

    def _check_depth(self) -> None:
        depth, most = self._settings.depth, self._settings.max_depth
        if depth >= most:
            message = (
                f"This bridge runs inside an OpenCode that a bridge started, and work is passed on {most} time(s)."
            )
            raise NotAllowed(message, hint="Do the work yourself. The operator allows more with --max-depth.")

    async def _around(self) -> ServerRecord:
        """The server inside which this bridge runs."""
        record = StateFiles(Path(self._settings.inside)).read_record()
        if record is None or not await answers(record.endpoint):
            raise BackendUnavailable("The OpenCode inside which this bridge runs does not answer.", sent=False)
        return record

    async def aclose(self) -> None:
        """Let go; the last bridge stops the server, unless a session is busy. Takes about two seconds at worst."""
        with anyio.CancelScope(shield=True):
            async with self._turn:
                if self._lease is not None and self._files is not None:
                    await self._leave(self._lease, self._files)
                self._lease = self._server = None

    async def _attach(self) -> Endpoint:
        settings = self._settings
        endpoint = Endpoint(url=settings.url, username=settings.username, password=settings.password)
        try:
            await check(endpoint, timeouts=ATTACH_TIMEOUTS)
        except NotOpenCode as error:
            raise NotOpenCode(f"What answers at {settings.url} is not an OpenCode server.", hint=error.hint) from error
        return endpoint

    async def _share_or_start(self) -> ServerRecord:
        files = self._files = self._files or files_for(self._settings)
        files.prepare()
        # At worst that bridge waits for a half-started server, ends it, and starts another.
        timeout = 2 * self._start_timeout + self._patience + 2 * WEDGED_GRACE
        try:
            async with hold(files.lock, timeout=timeout) as held:
                if not held:
                    message = f"Another bridge has held {files.lock} for {timeout:.0f} s."
                    raise OpenCodeNotStarting(message, hint="Call again; if that bridge hangs, end it.")
                self._lease = self._lease or Lease(files.leases)
                return await self._share(files, self._lease) or await self._start(files)
        except OSError as error:
            raise unusable(files.directory, error) from error

    async def _share(self, files: StateFiles, lease: Lease) -> ServerRecord | None:
        """The server that runs already; one that is dead is forgotten, one that is silent and idle is ended."""
        record = files.read_record()
        if record is None:
            return None
        if await record.process.runs():
            # Its bridge may have died while it started.
            left = record.started + self._start_timeout - time.time()
            within = max(self._patience, min(left, self._start_timeout))
            ready = await await_ready(record, files, within=within)
            if ready is not None:
                self._note_sharing(ready)
                files.write_record(replace(ready, left_busy=False))
                await guard_again(ready.process, files, self._settings.stop_after)
                return ready
            if await record.process.runs():
                await self._end_silent(record, lease, within)
        files.remove_record()
        return None

    async def _end_silent(self, record: ServerRecord, lease: Lease, within: float) -> None:
        """End a server that does not answer, unless others may have work in it."""
        pid = record.process.pid
        if record.left_busy or lease.others_live():
            message = f"OpenCode (process {pid}) has not answered for {within:.0f} s, and may be working for others."
            raise BackendTimeout(message, hint=f"Call again; if it hangs, end process {pid}.")
        logger.warning("OpenCode %s (process %d) does not answer any more and is ended.", record.url, pid)
        await end(record.process, grace=WEDGED_GRACE)

    def _note_sharing(self, record: ServerRecord) -> None:
        logger.info("Sharing OpenCode %s at %s (process %d).", record.version, record.url, record.process.pid)
        try:
            own = str(find_executable(self._settings))
        except OpenCodeNotInstalled:
            return
        if own != record.executable:
            logger.info("It was started from %s; this bridge would have started %s.", record.executable, own)

    async def _start(self, files: StateFiles) -> ServerRecord:
        executable = await to_thread.run_sync(find_executable, self._settings)
        record = await Starter(self._settings, files).start(executable, timeout=self._start_timeout)
        self.started = True
        logger.info("Started OpenCode %s at %s (process %d).", record.version, record.url, record.process.pid)
        return record

    async def _leave(self, lease: Lease, files: StateFiles) -> None:
        async with hold(files.lock, timeout=LEAVE_TIMEOUT) as held:
            try:
                # Whoever holds it instead is a bridge that lives, so this one is not the last.
                if held and not lease.others_live():
                    await self._stop_unless_busy(files)
            finally:
                # Before the next has its turn: of two that leave together, one must see that it is the last.
                lease.release()

    async def _stop_unless_busy(self, files: StateFiles) -> None:
        # The record may have been deleted with the state directory.
        record = files.read_record() or self._server
        if record is None:
            return
        if await record.process.runs():
            if await is_busy(record.endpoint, since=record.started):
                self._leave_busy(record, files)
                await guard_again(record.process, files, self._settings.stop_after)
                return
            await end(record.process, grace=IDLE_GRACE)
        files.remove_record()

    def _leave_busy(self, record: ServerRecord, files: StateFiles) -> None:
        hours = self._settings.stop_after / 3600
        logger.warning(
            "OpenCode at %s (process %d) still works on something, or waits for an answer, and is left running. "
            "If no bridge comes back, it is ended %.3g h after this (--stop-after).",
            *(record.url, record.process.pid, hours),
        )
        files.write_record(replace(record, left_busy=True))
