"""What the system tells of processes: when one was born, which came from it, and what it was started with.

A process id is used again after its process has ended, so a process is told from a later one of the same id by its
birth: a text that is only ever compared, and empty for a process that does not run, a zombie included.
"""

import sys
from collections.abc import Iterator
from contextlib import suppress

if sys.platform == "linux":
    from pathlib import Path

    PROC = Path("/proc")
    ENDED = "ZX"
    """First letters of the states of a process that has ended and was not yet waited for."""

    def born(pid: int) -> str:
        """The birth of a process, in the kernel's own clock, which nobody can set back."""
        fields = _stat(pid)
        return "" if not fields or fields[0] in ENDED else fields[19]

    def descendants(pid: int) -> set[int]:
        """The processes that a process started, and those that they started."""
        parents = {int(entry.name): _parent(int(entry.name)) for entry in PROC.iterdir() if entry.name.isdigit()}
        found = {pid}
        while more := {child for child, parent in parents.items() if parent in found} - found:
            found |= more
        return found - {pid}

    def started_with(name: str, value: str) -> Iterator[int]:
        """The processes of this user whose environment held a variable when they were started."""
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
        # The command's name, in parentheses, may itself hold spaces and parentheses.
        return stat.rpartition(")")[2].split()

else:
    import psutil

    def born(pid: int) -> str:
        """The birth of a process, as the system keeps it."""
        try:
            process = psutil.Process(pid)
            return "" if process.status() == psutil.STATUS_ZOMBIE else repr(process.create_time())
        except psutil.Error:
            return ""

    def descendants(pid: int) -> set[int]:
        """The processes that a process started, and those that they started."""
        try:
            return {child.pid for child in psutil.Process(pid).children(recursive=True)}
        except psutil.Error:
            return set()

    def started_with(name: str, value: str) -> Iterator[int]:
        """The processes of this user whose environment held a variable when they were started."""
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.environ().get(name) == value:
                    yield process.pid
