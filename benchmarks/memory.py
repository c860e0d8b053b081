"""Memory that a process takes while something happens."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio

from tests.harness.processes.usage import resident

LOOK_EVERY = 0.05
"""Seconds between two looks."""


@dataclass(slots=True)
class Memory:
    """Memory of a process at first, and the most since then; in megabytes, None where unknown."""

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
