"""Run a shell line with a time limit; the line and all that it has started end with the bridge at the latest."""

import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import anyio
from anyio import to_thread
from anyio.abc import Process

from opencode_mcp.processes.command_supervisor import MARK_VALUE
from opencode_mcp.processes.ending import FLAGS, force_to_end

# -I: neither the working directory nor a variable decides which modules Python loads.
SUPERVISOR = (sys.executable, "-I", "-m", "opencode_mcp.processes.command_supervisor")
MARK = "OPENCODE_BRIDGE_LINE_"
"""Beginning of the name of a line's mark. Each line has a name of its own, so lines can run inside of lines."""
END_SECONDS = 5.0
"""Time that the supervisor has to end the line; then it is ended itself."""


@dataclass(frozen=True, slots=True)
class ShellResult:
    """Result of a shell line."""

    code: int | None
    """Exit code; ``None`` if the line was ended after its time."""
    output: str
    """End of what it printed."""


async def run_shell_line(line: str, directory: str, environment: Mapping[str, str], within: float) -> ShellResult:
    """Run a shell line, and end all that it has started.

    Args:
        line: The line.
        directory: Absolute path of the working directory.
        environment: The whole environment.
        within: Seconds that it may take.

    Raises:
        OSError: No process can be started in the directory.
    """
    shell = ("cmd", "/c", line) if sys.platform == "win32" else ("/bin/sh", "-c", line)
    mark = MARK + secrets.token_hex(8)
    process = await anyio.open_process(
        [*SUPERVISOR, mark, *shell],
        cwd=directory,
        env={**environment, mark: MARK_VALUE},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        creationflags=FLAGS,
        start_new_session=sys.platform != "win32",
    )
    printed: list[bytes] = []
    in_time = False
    try:
        with anyio.move_on_after(within):
            await _read(process, printed)
            in_time = True
    finally:
        with anyio.CancelScope(shield=True):
            await _end(process, printed)
    output = b"".join(printed).decode(errors="replace").strip()
    return ShellResult(process.returncode if in_time else None, output)


async def _read(process: Process, printed: list[bytes]) -> None:
    """Read what the supervisor writes at its end, and wait for that."""
    if process.stdout:
        async for part in process.stdout:
            printed.append(part)  # noqa: PERF401 - what was read before a cancellation counts
    await process.wait()


async def _end(process: Process, printed: list[bytes]) -> None:
    """End the supervisor, which ends the line when its standard input is closed."""
    if process.stdin:
        await process.stdin.aclose()
    with anyio.move_on_after(END_SECONDS):
        await _read(process, printed)
    if process.returncode is None:
        await to_thread.run_sync(force_to_end, process.pid)
    await process.aclose()
