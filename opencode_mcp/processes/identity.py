"""Recognises and ends processes, each with the group that it leads. Knows nothing of OpenCode.

A process outlives the one that started it, and any other may end it; so it is named by its id and its birth, which no
later process shares.
"""

from dataclasses import dataclass

import anyio
from anyio import to_thread

from opencode_mcp.processes.groups import ask_to_end, force_to_end
from opencode_mcp.processes.listeners import listens
from opencode_mcp.processes.table import born

POLL = 0.02


@dataclass(frozen=True, slots=True)
class Process:
    """A process, beyond the reuse of its id."""

    pid: int
    born: str

    async def runs(self) -> bool:
        """Whether it has not ended."""
        return await to_thread.run_sync(self._runs)

    async def listens(self, host: str, port: int) -> bool:
        """Whether it has not ended, and it or a process that it started listens at an address."""
        return await to_thread.run_sync(self._listens, host, port)

    def _runs(self) -> bool:
        return bool(self.born) and born(self.pid) == self.born

    def _listens(self, host: str, port: int) -> bool:
        # The birth is looked at last: until then nobody else can have had the id.
        return bool(self.born) and listens(self.pid, host, port) and self._runs()


NOBODY = Process(0, "")
"""Stands for a process that was not started yet."""


async def end(process: Process, *, grace: float) -> None:
    """End a process and what is left of its group.

    Args:
        process: The group's leader.
        grace: Seconds that it has to end by itself, then again until it must be gone.
    """
    if not await process.runs():
        return
    await to_thread.run_sync(ask_to_end, process.pid)
    await gone(process, within=grace)
    # Also when the leader has gone: what it started may have outlived it.
    await to_thread.run_sync(force_to_end, process.pid)
    await gone(process, within=grace)


async def gone(process: Process, *, within: float) -> None:
    """Wait until a process has ended, or the time is over.

    Args:
        process: The process.
        within: Seconds.
    """
    with anyio.move_on_after(within):
        while await process.runs():  # noqa: ASYNC110 - a process tells only its parent that it ended
            await anyio.sleep(POLL)
