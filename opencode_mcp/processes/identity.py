"""Identity of a process, which tells it from a later one with the same id. The module knows nothing of OpenCode.

A process can outlive its parent, and any process can end it. So it is identified by its id and its birth, which no
later process shares.
"""

from dataclasses import dataclass

from anyio import to_thread

from opencode_mcp.processes.port_owner import listens, owns
from opencode_mcp.processes.process_table import born, processor_seconds


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
