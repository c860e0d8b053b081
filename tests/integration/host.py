"""A host as these tests use it: it calls tools, and expects either data or an error that says something."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio

from tests.harness.bridges.bridge import Bridge, data_of, text_of
from tests.harness.waiting import eventually
from tests.scripted_model.script import Action, Step, script

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Host:
    """A connected host."""

    bridge: Bridge

    async def run(self, *steps: Action | Step, **arguments: object) -> Json:
        """Hand over a scripted prompt, and return the report."""
        return await self.data("opencode_run", prompt=script(*steps), **arguments)

    async def start(self, *steps: Action | Step, **arguments: object) -> str:
        """Hand over a scripted prompt without waiting, and return the session."""
        report = await self.run(*steps, wait_seconds=0, **arguments)
        # A short one may have ended already.
        assert report["status"] in {"running", "completed"}, report
        return report["session_id"]

    async def wait(self, session_id: str, **arguments: object) -> Json:
        """Wait for a session's run, and return the report."""
        return await self.data("opencode_wait", session_id=session_id, **arguments)

    async def data(self, tool: str, **arguments: object) -> Json:
        """Call a tool and return its data."""
        return data_of(await self.bridge.call(tool, **arguments))

    async def text(self, tool: str, **arguments: object) -> str:
        """Call a tool and return the text of a good result."""
        result = await self.bridge.call(tool, **arguments)
        assert not result.is_error, text_of(result)
        return text_of(result)

    async def error(self, tool: str, **arguments: object) -> str:
        """Call a tool and return the text of the error that it must be."""
        result = await self.bridge.call(tool, **arguments)
        assert result.is_error, text_of(result)
        return text_of(result)

    @property
    def lines(self) -> list[str]:
        """The lines of progress that were received."""
        return [progress.message or "" for progress in self.bridge.progress]

    def has_progress(self, part: str) -> bool:
        """Return True if a line of progress had this part."""
        return any(part in line for line in self.lines)

    async def wait_for_progress(self, part: str) -> None:
        """Wait for a line of progress that holds this."""

        async def look() -> bool:
            return self.has_progress(part)

        await eventually(look)

    def another(self) -> "Host":
        """Another caller over the same connection, with ears of its own."""
        return Host(Bridge(self.bridge.client, self.bridge.launch))


@asynccontextmanager
async def meanwhile(call: Callable[[], Awaitable[Json]]) -> AsyncGenerator[list[Json]]:
    """Have a call under way while the block runs, and wait for its end; the list then holds what it returned."""
    returned: list[Json] = []

    async def make() -> None:
        returned.append(await call())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(make)
        yield returned


def changes(report: Json) -> set[tuple[str, str, int, int]]:
    """The files of a report: what happened to which, and the lines added and removed."""
    return {(file["change"], file["path"], file["added"], file["removed"]) for file in report.get("files", [])}
