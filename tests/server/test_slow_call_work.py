"""Work begins for a call that takes long, in the call's own context, and ends with the call."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

import anyio
import anyio.lowlevel
import pytest
from anyio.abc import TaskGroup

from opencode_mcp.server.slow_call_work import Callback, SlowCalls

pytestmark = pytest.mark.anyio

DEADLINE = 30.0
LONG_SECONDS = 3600.0
NAME = ContextVar("NAME", default="")


class Counted:
    """Starts tasks, and counts them."""

    tasks: TaskGroup

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, work: Callback) -> None:
        """Start a task."""
        self.count += 1
        self.tasks.start_soon(work)


class Noted:
    """Work that notes its beginning and its end."""

    def __init__(self) -> None:
        self.began = anyio.Event()
        self.ended = anyio.Event()
        self.name = ""

    async def work(self) -> None:
        """Work until it is cancelled."""
        self.name = NAME.get()
        self.began.set()
        try:
            await anyio.sleep_forever()
        finally:
            self.ended.set()


@contextmanager
def named(name: str) -> Generator[None]:
    token = NAME.set(name)
    try:
        yield
    finally:
        NAME.reset(token)


async def test_the_work_of_a_slow_call_begins_in_its_context_and_ends_with_the_call() -> None:
    spawn, first, second = Counted(), Noted(), Noted()
    slow = SlowCalls(spawn, seconds=0.01)
    with anyio.fail_after(DEADLINE):
        async with anyio.create_task_group() as spawn.tasks:
            with named("first"), slow.working(first.work):
                await first.began.wait()
                with named("second"), slow.working(second.work):
                    await second.began.wait()
                await second.ended.wait()
                assert not first.ended.is_set()
            await first.ended.wait()
    assert (first.name, second.name) == ("first", "second")


async def test_one_task_watches_all_calls() -> None:
    spawn, noted = Counted(), Noted()
    slow = SlowCalls(spawn, LONG_SECONDS)
    with anyio.fail_after(DEADLINE):
        async with anyio.create_task_group() as spawn.tasks:
            for _ in range(3):
                with slow.working(noted.work):
                    await anyio.lowlevel.checkpoint()
            spawn.tasks.cancel_scope.cancel()
    assert spawn.count == 1
    assert not noted.began.is_set()


async def test_the_task_ends_after_the_last_call_and_a_later_call_starts_another() -> None:
    spawn = Counted()
    slow = SlowCalls(spawn, seconds=0.01)
    with anyio.fail_after(DEADLINE):
        for _ in range(2):
            # The group waits for the tasks.
            async with anyio.create_task_group() as spawn.tasks:
                noted = Noted()
                with slow.working(noted.work):
                    await noted.began.wait()
    assert spawn.count == 2 * 2
