"""One client's notices: each once, in order, only what it wants, and never at the expense of others."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import pytest
from mcp.server.subscriptions import PromptsListChanged, ResourcesListChanged, ResourceUpdated, ToolsListChanged

from opencode_mcp.server.notifications import notification_queue
from opencode_mcp.server.notifications.notification_queue import Outbox

pytestmark = pytest.mark.anyio

SECONDS = 20


class Reader:
    """A client at the other end: what it has read, and whether it reads at all."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.reads = anyio.Event()
        self.reads.set()

    async def _take(self, notice: str) -> None:
        await self.reads.wait()
        self.read.append(notice)

    async def send_resource_updated(self, uri: str) -> None:  # noqa: D102 - the SDK's
        await self._take(uri)

    async def send_resource_list_changed(self) -> None:  # noqa: D102 - the SDK's
        await self._take("resources")

    async def send_prompt_list_changed(self) -> None:  # noqa: D102 - the SDK's
        await self._take("prompts")


class Gone(Reader):
    """A client whose connection is broken."""

    async def send_resource_list_changed(self) -> None:  # noqa: D102 - the SDK's
        raise anyio.BrokenResourceError


@asynccontextmanager
async def delivering(outbox: Outbox) -> AsyncGenerator[None]:
    with anyio.fail_after(SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(outbox.deliver)
            yield
            tasks.cancel_scope.cancel()


async def test_a_client_is_notified_of_what_it_subscribed_to_and_of_the_lists() -> None:
    reader = Reader()
    outbox = Outbox(reader)
    outbox.uris |= {"a"}
    async with delivering(outbox):
        for event in (ResourceUpdated("a"), ResourceUpdated("b"), ResourcesListChanged(), PromptsListChanged()):
            outbox.put(event)
        outbox.put(ToolsListChanged())
        await anyio.wait_all_tasks_blocked()
    assert reader.read == ["a", "resources", "prompts"]


async def test_what_waits_to_be_reported_is_reported_once() -> None:
    reader = Reader()
    outbox = Outbox(reader)
    outbox.uris |= {"a"}
    for _ in range(5):
        outbox.put(ResourceUpdated("a"))
    async with delivering(outbox):
        await anyio.wait_all_tasks_blocked()
        outbox.put(ResourceUpdated("a"))
        await anyio.wait_all_tasks_blocked()
    assert reader.read == ["a", "a"]


async def test_what_waits_to_be_reported_is_not_reported_after_unsubscribing() -> None:
    reader = Reader()
    outbox = Outbox(reader)
    outbox.uris |= {"a", "b"}
    outbox.put(ResourceUpdated("a"))
    outbox.put(ResourceUpdated("b"))
    outbox.unsubscribe("a")
    async with delivering(outbox):
        outbox.put(ResourceUpdated("a"))
        await anyio.wait_all_tasks_blocked()
    assert reader.read == ["b"]


async def test_a_client_that_reads_late_is_notified_of_everything_once() -> None:
    reader = Reader()
    reader.reads = anyio.Event()
    outbox = Outbox(reader)
    outbox.uris |= {"a", "b"}
    async with delivering(outbox):
        outbox.put(ResourceUpdated("a"))
        await anyio.wait_all_tasks_blocked()
        for _ in range(100):
            outbox.put(ResourceUpdated("a"))
            outbox.put(ResourceUpdated("b"))
        reader.reads.set()
        await anyio.wait_all_tasks_blocked()
    assert reader.read == ["a", "a", "b"]


async def test_a_client_that_reads_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notification_queue, "SEND_TIMEOUT_SECONDS", 0.01)
    reader = Reader()
    reader.reads = anyio.Event()
    outbox = Outbox(reader)
    outbox.put(ResourcesListChanged())
    with anyio.fail_after(SECONDS):
        await outbox.deliver()
    assert reader.read == []


async def test_a_client_whose_connection_is_broken_is_given_up() -> None:
    outbox = Outbox(Gone())
    outbox.put(ResourcesListChanged())
    with anyio.fail_after(SECONDS):
        await outbox.deliver()


async def test_a_client_that_is_gone_is_sent_nothing_more() -> None:
    reader = Reader()
    outbox = Outbox(reader)
    outbox.put(ResourcesListChanged())
    outbox.close()
    with anyio.fail_after(SECONDS):
        await outbox.deliver()
    assert reader.read == []
