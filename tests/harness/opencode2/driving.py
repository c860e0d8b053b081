"""Steps that tests of OpenCode 2 take with the client of the released contract."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from opencode import AsyncOpencode

from tests.harness.failures import unwrapped
from tests.harness.waiting import eventually

LIMIT = 60.0
"""Seconds that a run may take before a test gives up."""


class EventLog:
    """The events of a stream, as they come."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    async def collect(self, stream: AsyncIterator[Any]) -> None:
        """Take what comes until the stream ends."""
        async for event in stream:
            self.events.append(event)

    async def of_kind(self, kind: type[Any], session: str) -> Any:  # noqa: ANN401 - an event of this kind
        """Wait for an event of a kind about a session."""

        async def look() -> Any:  # noqa: ANN401
            return next((event for event in self.events if isinstance(event, kind) and session in str(event)), None)

        return await eventually(look, seconds=LIMIT)


@asynccontextmanager
async def event_log(client: AsyncOpencode) -> AsyncGenerator[EventLog]:
    """Collect the events of the whole server while the block runs."""
    log = EventLog()

    async def look() -> bool:
        return bool(log.events)

    with unwrapped():
        async with await client.event.subscribe() as stream, anyio.create_task_group() as tasks:
            tasks.start_soon(log.collect, stream)
            await eventually(look)
            yield log
            tasks.cancel_scope.cancel()


async def kinds(client: AsyncOpencode, session: str) -> list[str]:
    """List the types of a session's messages, oldest first."""
    return [str(message.type) async for message in client.message.list(session, order="asc")]


async def prompt_of(client: AsyncOpencode, session: str) -> str:
    """Find the first message of a session."""
    first: Any = (await client.message.list(session, order="asc", limit=1)).data[0]
    return str(first.id)


async def prompt(client: AsyncOpencode, words: str, *, agent: str = "build") -> str:
    """Prompt in a new session and return the session's id."""
    session = (await client.session.create(agent=agent)).id
    await client.session.prompt(session, text=words, delivery="queue")
    return session


async def permission(client: AsyncOpencode, session: str) -> str:
    """Wait until a session asks for a permission, and return its id."""

    async def look() -> str:
        return next((asked.id for asked in await client.permission.list(session)), "")

    return await eventually(look, seconds=LIMIT)


async def form(client: AsyncOpencode, session: str) -> str:
    """Wait until a session asks by a form, and return its id."""

    async def look() -> str:
        return next((asked.id for asked in await client.session.form.list(session)), "")

    return await eventually(look, seconds=LIMIT)
