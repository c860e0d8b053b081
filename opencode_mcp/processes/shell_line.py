"""Run a shell line with a time limit; the line and all that it has started end with the bridge at the latest."""

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import IO

import anyio
from anyio import to_thread

from opencode_mcp.processes.groups import FLAGS, force_to_end

# -I: neither the working directory nor a variable decides which modules Python loads.
SUPERVISOR = (sys.executable, "-I", "-m", "opencode_mcp.processes.supervisor")
END_SECONDS = 5.0
"""Time that the supervisor has to end the line; then it is ended itself."""


async def run_shell_line(
    line: str, directory: str, environment: Mapping[str, str], within: float, output: IO[bytes]
) -> int | None:
    """Run a shell line, and end all that it has started.

    Args:
        line: The line.
        directory: Absolute path of the working directory.
        environment: The whole environment.
        within: Seconds that it may take.
        output: File that gets what it prints. A process that escapes would keep a pipe open.

    Returns:
        The exit code; ``None`` if the line was ended after its time.

    Raises:
        OSError: No process can be started in the directory.
    """
    shell = ("cmd", "/c", line) if sys.platform == "win32" else ("/bin/sh", "-c", line)
    process = await anyio.open_process(
        [*SUPERVISOR, *shell],
        cwd=directory,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        creationflags=FLAGS,
        start_new_session=sys.platform != "win32",
    )
    try:
        with anyio.move_on_after(within):
            return await process.wait()
        return None
    finally:
        with anyio.CancelScope(shield=True):
            await _end(process)


async def _end(process: anyio.abc.Process) -> None:
    """End the supervisor, which ends the line when its standard input is closed."""
    if process.stdin:
        await process.stdin.aclose()
    with anyio.move_on_after(END_SECONDS):
        await process.wait()
    if process.returncode is None:
        await to_thread.run_sync(force_to_end, process.pid)
    await process.aclose()


def end_of_output(output: IO[bytes], characters: int) -> str:
    """Return the end of what was printed into a file, without spaces around it."""
    size = output.seek(0, os.SEEK_END)
    output.seek(max(size - 4 * characters, 0))
    return output.read().decode(errors="replace").strip()[-characters:]
