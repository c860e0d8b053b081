"""Process table of the system: birth, descendants, environment and processor time of a process.

A process id is reused after its process has ended. The birth distinguishes a process from a later one with the same id;
it is a text that is only compared, and empty for a process that does not run, including a zombie.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

if sys.platform == "linux":
    PROC = Path("/proc")
    ENDED = "ZX"
    """First letters of the states of a process that has ended and was not yet waited for."""

    def born(pid: int) -> str:
        """Return the birth of a process by the kernel's own clock, which cannot be set back."""
        fields = _stat(pid)
        return "" if not fields or fields[0] in ENDED else fields[19]

    def descendants(pid: int) -> set[int]:
        """Return the descendants of a process."""
        parents = {int(entry.name): _parent(int(entry.name)) for entry in PROC.iterdir() if entry.name.isdigit()}
        found = {pid}
        while more := {child for child, parent in parents.items() if parent in found} - found:
            found |= more
        return found - {pid}

    def processor_seconds(pid: int) -> float:
        """Return the processor time that a process has used, in seconds; 0 for one that does not run."""
        fields = _stat(pid)
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0

    def age_seconds(pid: int) -> float:
        """Return the seconds since a process began; 0 for one that does not run."""
        fields = _stat(pid)
        if not fields:
            return 0
        since_boot = float((PROC / "uptime").read_text(encoding="ascii").split()[0])
        return since_boot - int(fields[19]) / os.sysconf("SC_CLK_TCK")

    def programs() -> Iterator[tuple[int, str]]:
        """Yield the processes of this user, each with the file name of its program."""
        for entry in PROC.iterdir():
            with suppress(OSError):
                if entry.name.isdigit():
                    yield int(entry.name), (entry / "exe").readlink().name

    def started_with(name: str, value: str) -> Iterator[int]:
        """Yield the processes of this user whose environment contained a variable at their start."""
        wanted = f"{name}={value}".encode()
        for entry in PROC.iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                    yield int(entry.name)

    def _parent(pid: int) -> int:
        fields = _stat(pid)
        return int(fields[1]) if fields else 0

    def _stat(pid: int) -> list[str]:
        try:
            stat = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return []
        # The command's name, in parentheses, may itself contain spaces and parentheses.
        return stat.rpartition(")")[2].split()

else:
    import time

    import psutil

    def born(pid: int) -> str:
        """Return the birth of a process, as the system stores it."""
        try:
            process = psutil.Process(pid)
            return "" if process.status() == psutil.STATUS_ZOMBIE else repr(process.create_time())
        except psutil.Error:
            return ""

    def descendants(pid: int) -> set[int]:
        """Return the descendants of a process."""
        try:
            return {child.pid for child in psutil.Process(pid).children(recursive=True)}
        except psutil.Error:
            return set()

    def processor_seconds(pid: int) -> float:
        """Return the processor time that a process has used, in seconds; 0 for one that does not run."""
        try:
            times = psutil.Process(pid).cpu_times()
        except psutil.Error:
            return 0
        return times.user + times.system

    def age_seconds(pid: int) -> float:
        """Return the seconds since a process began; 0 for one that does not run."""
        try:
            return max(time.time() - psutil.Process(pid).create_time(), 0)
        except psutil.Error:
            return 0

    def programs() -> Iterator[tuple[int, str]]:
        """Yield the processes of this user, each with the file name of its program."""
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                yield process.pid, Path(process.exe()).name

    def started_with(name: str, value: str) -> Iterator[int]:
        """Yield the processes of this user whose environment contained a variable at their start."""
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.environ().get(name) == value:
                    yield process.pid
