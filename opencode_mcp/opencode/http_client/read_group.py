"""Concurrent reads: all of them or none, or as many as succeed.

The module does not know what is read.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Generic, ParamSpec, TypeVar

import anyio
from anyio.abc import TaskGroup

from opencode_mcp.errors import BackendTimeout, BridgeError

P = ParamSpec("P")
T = TypeVar("T")


class ReadResult(Generic[T]):
    """Result of a read; available once the block has ended."""

    value: T


class ReadGroup:
    """Group of reads that run at the same time.

    Args:
        tasks: Task group in which they run.
        failures: Collects their errors; the first one cancels the others.
    """

    def __init__(self, tasks: TaskGroup, failures: list[BridgeError]) -> None:
        self._tasks = tasks
        self._failures = failures

    def start(self, read: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> ReadResult[T]:
        """Start another read."""
        later = ReadResult[T]()

        async def take() -> None:
            try:
                later.value = await read(*args, **kwargs)
            except BridgeError as error:
                self._failures.append(error)
                self._tasks.cancel_scope.cancel()

        self._tasks.start_soon(take)
        return later


@asynccontextmanager
async def at_once() -> AsyncGenerator[ReadGroup]:
    """Run the reads that the block starts at the same time, and wait for all of them.

    Raises:
        BridgeError: The first error of a read; the other reads were cancelled.
    """
    failures: list[BridgeError] = []
    async with anyio.create_task_group() as tasks:
        yield ReadGroup(tasks, failures)
    for failure in failures:
        raise failure


async def read_each(
    reads: Mapping[str, Callable[[], Awaitable[object]]], *, within: float
) -> tuple[dict[str, object], dict[str, BridgeError]]:
    """Run several reads at the same time, independently: one that fails or takes too long cancels no other.

    Args:
        reads: The reads, by name.
        within: Seconds that each may take.

    Returns:
        The results and the errors, both by name.
    """
    found: dict[str, object] = {}
    failed: dict[str, BridgeError] = {}

    async def take(name: str, read: Callable[[], Awaitable[object]]) -> None:
        with anyio.move_on_after(within):
            try:
                found[name] = await read()
            except BridgeError as error:
                failed[name] = error
            return
        failed[name] = BackendTimeout(f"OpenCode did not answer within {within:g} s.")

    async with anyio.create_task_group() as tasks:
        for name, read in reads.items():
            tasks.start_soon(take, name, read)
    return found, failed
