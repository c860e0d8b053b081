"""Share the server that runs already: decide whether it can be used, or must be ended first.

The caller holds the lock under which bridges search, and a lease.
"""

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import BackendTimeout, InvalidSetting
from opencode_mcp.launcher.guarding.guarded_start import guard_again
from opencode_mcp.launcher.health import is_busy
from opencode_mcp.launcher.provider_environment import differing
from opencode_mcp.launcher.server_record import variables_of
from opencode_mcp.launcher.starter import await_ready
from opencode_mcp.launcher.stopping import stop

if TYPE_CHECKING:
    from opencode_mcp.disk.bridge_locks import Lease
    from opencode_mcp.launcher.executables.executable import Executable
    from opencode_mcp.launcher.server_record import ServerRecord, StateFiles
    from opencode_mcp.settings import Settings

logger = logging.getLogger(__name__)

UNRESPONSIVE_GRACE_SECONDS = 2.0
IDLE_SHARE = 0.05
"""Share of one processor below which a server that does not answer is idle: it hangs, and is not merely slow."""


class Sharing:
    """Looks for a server to share.

    Args:
        settings: Settings of the operator.
        start_timeout: Seconds within which a server that is starting must be healthy.
        answer_timeout: Seconds within which a server that runs already must answer before it is replaced.
    """

    def __init__(self, settings: "Settings", *, start_timeout: float, answer_timeout: float) -> None:
        self._settings = settings
        self._start_timeout = start_timeout
        self._answer_timeout = answer_timeout

    async def share(
        self, files: "StateFiles", lease: "Lease", executable: "Executable | None"
    ) -> "ServerRecord | None":
        """Return the server that runs already; ``None`` if one must be started.

        A dead server is forgotten. An idle one is ended if it does not answer, or has another environment. One that
        computes is never ended for its silence: OpenCode answers nothing while it indexes a large folder, for example.

        Args:
            files: Files of the server.
            lease: Lease of this bridge.
            executable: Program that this bridge would start, if any; a difference is only logged.

        Raises:
            BackendTimeout: The server does not answer, and may be working for others.
            InvalidSetting: The server is an OpenCode 2 with another environment, and is in use.
            UnsupportedVersion: The server is too old.
        """
        record = files.read_record()
        if record is None:
            return None
        if await record.process.runs():
            # Its bridge may have died during the start.
            left = record.started + self._start_timeout - time.time()
            within = max(self._answer_timeout, min(left, self._start_timeout))
            used, began = await record.process.processor_seconds(), anyio.current_time()
            ready = await await_ready(record, files, within=within)
            if ready is not None and not await self._ended_for_its_environment(ready, lease):
                _note_sharing(ready, executable)
                files.write_record(replace(ready, left_busy=False))
                await guard_again(ready.process, files, self._settings.stop_after)
                return ready
            if await record.process.runs():
                used = await record.process.processor_seconds() - used
                computes = used > IDLE_SHARE * (anyio.current_time() - began)
                await _end_unresponsive(record, lease, within, computes=computes)
        files.remove_record()
        return None

    async def _ended_for_its_environment(self, record: "ServerRecord", lease: "Lease") -> bool:
        """End an idle server whose environment means something else to OpenCode than this bridge's.

        Raises:
            InvalidSetting: The server is in use. A second server beside it would work on the same sessions.
        """
        names = differing(record.variables, variables_of(self._settings, record.generation))
        if not names:
            return False
        if record.left_busy or lease.others_live() or await is_busy(record.endpoint, since=record.started):
            message = (
                f"Another opencode-mcp uses OpenCode {record.version} (process {record.process.pid}) with other values "
                f"of {', '.join(names)}, and of OpenCode 2 there can be only one server for a data folder."
            )
            hint = (
                "Start both with the same values, or end the other one, or give this one a data folder of "
                "its own with XDG_DATA_HOME."
            )
            raise InvalidSetting(message, hint=hint)
        logger.info("OpenCode %s has other values of %s and is ended.", record.url, ", ".join(names))
        await stop(record, grace=UNRESPONSIVE_GRACE_SECONDS)
        return True


async def _end_unresponsive(record: "ServerRecord", lease: "Lease", within: float, *, computes: bool) -> None:
    """End a server that does not answer, unless it computes or other bridges may have work in it."""
    pid = record.process.pid
    if computes:
        message = f"OpenCode (process {pid}) has not answered for {within:.0f} s, but it is computing."
        raise BackendTimeout(message, hint=f"Call again in a minute; if that does not help, end process {pid}.")
    if record.left_busy or lease.others_live():
        message = f"OpenCode (process {pid}) has not answered for {within:.0f} s, and may be working for others."
        raise BackendTimeout(message, hint=f"Call again; if it hangs, end process {pid}.")
    logger.warning("OpenCode %s (process %d) does not answer any more and is ended.", record.url, pid)
    await stop(record, grace=UNRESPONSIVE_GRACE_SECONDS)


def _note_sharing(record: "ServerRecord", executable: "Executable | None") -> None:
    logger.info("Sharing OpenCode %s at %s (process %d).", record.version, record.url, record.process.pid)
    if executable and str(executable.path) != record.executable:
        text = "It was started from %s; this bridge would have started %s."
        logger.info(text, record.executable, executable.path)
