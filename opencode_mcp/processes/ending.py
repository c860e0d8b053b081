"""End processes together with their descendants; each leads a group of its own. Only ``end`` and ``gone`` wait."""

import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import anyio
from anyio import to_thread

from opencode_mcp.processes.identity import Process

# On Windows no window may appear under a host without a console, and the child must not end with a console.
FLAGS = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0
POLL_SECONDS = 0.02

if sys.platform == "win32":
    import ctypes

    LONGEST_PATH_CHARACTERS = 260
    TASKKILL_TIMEOUT_SECONDS = 10.0

    def ask_to_end(pid: int) -> None:
        """End a process: Windows has no gentler way for one that shares no console and has no window."""
        force_to_end(pid)

    def force_to_end(pid: int) -> None:
        """End a process and its descendants."""
        folder = ctypes.create_unicode_buffer(LONGEST_PATH_CHARACTERS)
        ctypes.WinDLL("kernel32").GetSystemDirectoryW(folder, LONGEST_PATH_CHARACTERS)
        command = [str(Path(folder.value, "taskkill.exe")), "/PID", str(pid), "/T", "/F"]
        subprocess.run(command, check=False, capture_output=True, timeout=TASKKILL_TIMEOUT_SECONDS)  # noqa: S603 - ours

    def force_one_to_end(pid: int) -> None:
        """End a process; on Windows its descendants too, which would be looked for one by one otherwise."""
        force_to_end(pid)

else:
    import os

    def ask_to_end(pid: int) -> None:
        """Ask a process and its group to end."""
        _signal(pid, signal.SIGTERM)

    def force_to_end(pid: int) -> None:
        """End a process and its group."""
        _signal(pid, signal.SIGKILL)

    def force_one_to_end(pid: int) -> None:
        """End a process, which may lead no group."""
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)

    def _signal(pid: int, number: signal.Signals) -> None:
        # macOS reports a group of zombies as a lack of permission.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)


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
