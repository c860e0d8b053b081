"""Resources of a process: memory and descriptors, where the system says."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path


def resident(pid: int) -> float | None:
    """Return the megabytes of a process that are in memory; None if the system does not report them."""
    if sys.platform == "win32":
        return None
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024
    command = ["ps", "-o", "rss=", "-p", str(pid)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - a number is all it takes
    return int(result.stdout) / 1024


def open_descriptors(pid: int) -> int | None:
    """Number of descriptors that a process has open; None where the system has no plain way to say."""
    folder = Path(f"/proc/{pid}/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else None


def processes_with(variable: str, value: str) -> list[int]:
    """The processes of this user that were started with a variable of this value; none where the system hides that."""
    wanted = f"{variable}={value}".encode()
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found
