"""Work that begins when a call has taken long, such as progress notifications.

Most calls end within milliseconds. A task for each of them, which sleeps and is cancelled, would take more processor
time than the checks of the call. So one task watches all calls: it sleeps until the oldest one has taken long, and a
call that ends before costs an entry in a dictionary.
"""

from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any

import anyio

Callback = Callable[[], Coroutine[Any, Any, None]]
Spawn = Callable[[Callback], None]
"""Function that starts a task beside the requests."""


@dataclass(eq=False, slots=True)
class _Call:
    work: Callback
    due: float
    """Time at which the call has taken long, on anyio's clock."""
    context: Context = field(default_factory=copy_context)
    scope: anyio.CancelScope | None = None
    """Scope of the work, once it has begun."""

    async def run(self) -> None:
        if self.scope:
            with self.scope:
                await self.work()


class SlowCalls:
    """Watches the calls of one bridge.

    Args:
        spawn: Starts a task beside the requests.
        seconds: Time after which a call has taken long; the same for all, so the oldest call is always the next one.
    """

    def __init__(self, spawn: Spawn, seconds: float) -> None:
        self._spawn = spawn
        self._seconds = seconds
        self._calls: dict[_Call, None] = {}
        """Calls that have not taken long yet, oldest first."""
        self._is_watched = False

    @contextmanager
    def working(self, work: Callback) -> Generator[None]:
        """Begin some work once the block has taken long, and cancel it when the block ends."""
        call = _Call(work, anyio.current_time() + self._seconds)
        self._calls[call] = None
        if not self._is_watched:
            self._is_watched = True
            self._spawn(self._watch)
        try:
            yield
        finally:
            self._calls.pop(call, None)
            if call.scope:
                call.scope.cancel()

    async def _watch(self) -> None:
        try:
            while self._calls:
                await self._wait_for(next(iter(self._calls)))
        finally:
            self._is_watched = False

    async def _wait_for(self, call: _Call) -> None:
        """Wait until a call has taken long, and begin its work unless the call has ended."""
        await anyio.sleep_until(call.due)
        if call in self._calls:
            del self._calls[call]
            call.scope = anyio.CancelScope()
            # In the call's own context, which names its trace.
            call.context.run(self._spawn, call.run)
