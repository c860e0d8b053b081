"""Stop a server that a bridge started; first interrupt what it works on, if its generation requires that.

As a program (``python -m opencode_mcp.launcher.stopping FOLDER``) it only interrupts. The guard runs it before it ends
a server, because the guard itself knows nothing of HTTP.
"""

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import BridgeError
from opencode_mcp.launcher.health import connected
from opencode_mcp.launcher.server_record import ServerRecord, StateFiles
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.processes.ending import end

if TYPE_CHECKING:
    from opencode_mcp.opencode.versions import Generation

INTERRUPT_SECONDS = 0.5
"""Time for interruptions before a bridge ends: a host gives it about two seconds."""
GUARD_INTERRUPT_SECONDS = 5.0
POLL_SECONDS = 0.05


async def stop(record: ServerRecord, *, grace: float) -> None:
    """Interrupt the runs of a server, and end its process.

    Args:
        record: The server.
        grace: Seconds that the process has to end by itself, and again until it must be gone.
    """
    await interrupt_runs(record, within=INTERRUPT_SECONDS)
    await end(record.process, grace=grace)


async def interrupt_runs(record: ServerRecord, *, within: float) -> None:
    """Interrupt the runs of an OpenCode 2, and wait until none is left or the time is over.

    OpenCode 2 records an execution when it begins, and forgets it only at an end of its own. One that ends with its
    server is resumed by the user's background service at its next start, unattended. Faults are ignored: the server is
    about to be stopped, whether or not it answers.

    Args:
        record: The server; nothing is sent to an OpenCode 1, or to one that has printed no address yet.
        within: Seconds.
    """
    if record.generation == 1 or not record.url:
        return
    with anyio.move_on_after(within), suppress(BridgeError):
        async with connected(record.endpoint) as client:
            await _interrupt_all(client)


async def _interrupt_all(client: OpenCodeClient) -> None:
    """Interrupt every running session once, and wait until none runs."""
    interrupted = set[str]()
    while running := set(await client.session_status("")):
        async with anyio.create_task_group() as tasks:
            for session_id in running - interrupted:
                tasks.start_soon(_interrupt, client, session_id)
        interrupted |= running
        # OpenCode answers before the session has stopped.
        await anyio.sleep(POLL_SECONDS)


async def _interrupt(client: OpenCodeClient, session_id: str) -> None:
    with suppress(BridgeError):
        await client.session_abort(session_id, "")


def interrupting_command(files: StateFiles, generation: "Generation") -> list[str]:
    """Return the command that interrupts the runs of a server; empty if its generation does not require it."""
    # Not from the working directory, where a project could contain a module of that name.
    return [] if generation == 1 else [sys.executable, "-P", "-m", __name__, str(files.directory)]


def main() -> None:
    """Interrupt the runs of the server whose files are in the folder that the first argument names."""
    record = StateFiles(Path(sys.argv[1])).read_record()
    if record:
        anyio.run(lambda: interrupt_runs(record, within=GUARD_INTERRUPT_SECONDS))


if __name__ == "__main__":
    main()
