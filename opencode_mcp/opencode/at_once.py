"""Several reads at once: all of them or none, or as many as can be read.

It knows nothing of what is read.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Generic, ParamSpec, TypeVar

import anyio
from anyio.abc import TaskGroup

from opencode_mcp.errors import BackendTimeout, BridgeError

P = ParamSpec("P")
T = TypeVar("T")


class Later(Generic[T]):
    """What a read gives; it is there once the block has ended."""

    value: T


class Reads:
    """The reads that are under way.

    Args:
        tasks: Where they run.
        failures: Takes what they raise; the first ends the others.
    """

    def __init__(self, tasks: TaskGroup, failures: list[BridgeError]) -> None:
        self._tasks = tasks
        self._failures = failures

    def start(self, read: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> Later[T]:
        """Begin one more."""
        later = Later[T]()

        async def take() -> None:
            try:
                later.value = await read(*args, **kwargs)
            except BridgeError as error:
                self._failures.append(error)
                self._tasks.cancel_scope.cancel()

        self._tasks.start_soon(take)
        return later


@asynccontextmanager
async def at_once() -> AsyncGenerator[Reads]:
    """Do what the block starts at the same time, and wait for all of it.

    Raises:
        BridgeError: The first that a read raised; the others were given up.
    """
    failures: list[BridgeError] = []
    async with anyio.create_task_group() as tasks:
        yield Reads(tasks, failures)
    for failure in failures:
        raise failure


async def read_each(
    reads: Mapping[str, Callable[[], Awaitable[object]]], *, within: float
) -> tuple[dict[str, object], dict[str, BridgeError]]:
    """Do several reads at the same time, each by itself: one that fails or takes too long ends no other.

    Args:
        reads: What to read, by name.
        within: Seconds that each may take.

    Returns:
        What was read, and why the rest was not, both by name.
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
