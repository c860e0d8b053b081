"""Recognize and end processes, each with the group that it leads. The module knows nothing of OpenCode.

A process can outlive its parent, and any process can end it. So it is identified by its id and its birth, which no
later process shares.
"""

from dataclasses import dataclass

import anyio
from anyio import to_thread

from opencode_mcp.processes.groups import ask_to_end, force_to_end
from opencode_mcp.processes.port_owner import listens, owns
from opencode_mcp.processes.process_table import born, processor_seconds

POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Process:
    """Process, identified independently of the reuse of ids."""

    pid: int
    born: str
    is_alone: bool = False
    """True if its descendants do not count as it: those of the first process of a machine are all others."""

    async def runs(self) -> bool:
        """Return True if the process has not ended."""
        return await to_thread.run_sync(self._runs)

    async def listens(self, host: str, port: int) -> bool:
        """Return True if the process has not ended, and it or one of its descendants listens at an address.

        A process that is alone must listen itself.
        """
        return await to_thread.run_sync(self._listens, host, port)

    async def processor_seconds(self) -> float:
        """Return the processor time that the process has used, in seconds."""
        return await to_thread.run_sync(processor_seconds, self.pid)

    def _runs(self) -> bool:
        return bool(self.born) and born(self.pid) == self.born

    def _listens(self, host: str, port: int) -> bool:
        # The birth is checked last: until then no other process can have had the id.
        is_listening = owns(self.pid, port) if self.is_alone else listens(self.pid, host, port)
        return bool(self.born) and is_listening and self._runs()


NO_PROCESS = Process(0, "")
"""Stand-in for a process that was not started yet."""


async def end(process: Process, *, grace: float) -> None:
    """End a process and the rest of its group.

    Args:
        process: The leader of the group.
        grace: Seconds that it has to end by itself, and again until it must be gone.
    """
    if not await process.runs():
        return
    await to_thread.run_sync(ask_to_end, process.pid)
    await gone(process, within=grace)
    # Even if the leader has ended: its descendants may have outlived it.
    await to_thread.run_sync(force_to_end, process.pid)
    await gone(process, within=grace)


async def gone(process: Process, *, within: float) -> None:
    """Wait until a process has ended, or the time is over.

    Args:
        process: The process.
        within: Seconds.
    """
    with anyio.move_on_after(within):
        while await process.runs():  # noqa: ASYNC110 - a process notifies only its parent of its end
            await anyio.sleep(POLL_SECONDS)
