"""How much memory a process holds, where the system tells."""

import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

LOOK_EVERY = 0.05
"""Seconds between two looks."""


@dataclass(slots=True)
class Memory:
    """What a process held at first, and the most that it was seen to hold since; in megabytes, None where unknown."""

    first: float | None
    most: float | None

    @property
    def growth(self) -> float | None:
        """The difference."""
        return None if self.first is None or self.most is None else self.most - self.first


@asynccontextmanager
async def watched(pid: int) -> AsyncGenerator[Memory]:
    """Watch a process while the block runs."""
    first = resident(pid)
    memory = Memory(first, first)

    async def look() -> None:
        while memory.most is not None:
            memory.most = max(memory.most, resident(pid) or 0.0)
            await anyio.sleep(LOOK_EVERY)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(look)
        yield memory
        tasks.cancel_scope.cancel()


def resident(pid: int) -> float | None:
    """Megabytes of a process that are in memory; None where the system has no plain way to tell."""
    if sys.platform == "win32":
        return None
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024
    command = ["ps", "-o", "rss=", "-p", str(pid)]
    told = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - a number is all it takes
    return int(told.stdout) / 1024
