"""Starts, recognises and ends processes, each with the group that it leads. Knows nothing of OpenCode.

A process outlives the one that started it, and any other may end it; so it is named by its id and its birth, which no
later process shares.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import IO

import anyio
from anyio import to_thread

from opencode_mcp.opencode.process_birth import born

POLL = 0.02
# On Windows a window must not flash up under a host that has no console, nor a console's end reach the child.
FLAGS = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0


@dataclass(frozen=True, slots=True)
class Process:
    """A process, beyond the reuse of its id."""

    pid: int
    born: str

    async def runs(self) -> bool:
        """Whether it has not ended."""
        return bool(self.born) and await to_thread.run_sync(born, self.pid) == self.born


def spawn(
    command: Sequence[str], *, environment: Mapping[str, str], directory: Path, output: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start a command in a group of its own, which neither the host's signals nor our end reach.

    Args:
        command: The executable's path and its arguments.
        environment: The whole environment.
        directory: The working directory.
        output: The file that takes stdout and stderr; never a pipe, which would block once nobody reads it.

    Raises:
        OSError: The system cannot run it.
    """
    child = subprocess.Popen(  # noqa: S603 - the caller's own command
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd=directory,
        start_new_session=sys.platform != "win32",
        creationflags=FLAGS,
    )
    # Whoever ends it, its parent must wait for it, or it stays as a zombie.
    Thread(target=child.wait, name=f"wait for {child.pid}", daemon=True).start()
    return child


async def end(process: Process, *, grace: float) -> None:
    """End a process and what is left of its group.

    Args:
        process: The group's leader.
        grace: Seconds that it has to end by itself, then again until it must be gone.
    """
    if not await process.runs():
        return
    await to_thread.run_sync(_ask, process.pid)
    await _gone(process, within=grace)
    # Also when the leader has gone: what it started may have outlived it.
    await to_thread.run_sync(_force, process.pid)
    await _gone(process, within=grace)


async def _gone(process: Process, *, within: float) -> None:
    with anyio.move_on_after(within):
        while await process.runs():  # noqa: ASYNC110 - a process tells only its parent that it ended
            await anyio.sleep(POLL)


if sys.platform == "win32":
    import ctypes

    LONGEST_PATH = 260
    TASKKILL_TIMEOUT = 10.0

    def _ask(pid: int) -> None:
        # No milder way leads to a process that shares no console and has no window.
        _force(pid)

    def _force(pid: int) -> None:
        folder = ctypes.create_unicode_buffer(LONGEST_PATH)
        ctypes.WinDLL("kernel32").GetSystemDirectoryW(folder, LONGEST_PATH)
        command = [str(Path(folder.value, "taskkill.exe")), "/PID", str(pid), "/T", "/F"]
        subprocess.run(command, check=False, capture_output=True, timeout=TASKKILL_TIMEOUT)  # noqa: S603 - ours

else:

    def _ask(pid: int) -> None:
        _signal(pid, signal.SIGTERM)

    def _force(pid: int) -> None:
        _signal(pid, signal.SIGKILL)

    def _signal(pid: int, number: signal.Signals) -> None:
        # A group of which only zombies are left is a matter of permission to macOS.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)
