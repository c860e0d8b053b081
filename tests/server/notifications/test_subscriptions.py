"""The subscribers of a server: who wants what, and for how long; the SDK's own server and clients at both ends."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import pytest
import uvicorn
from mcp import Client
from mcp.server.subscriptions import PromptsListChanged, ResourcesListChanged, ResourceUpdated, ServerEvent
from mcp.shared.exceptions import MCPError
from mcp_types import ResourceListChangedNotification

from opencode_mcp.server import uris
from opencode_mcp.server.app import build_server
from opencode_mcp.server.mcp_server import BridgeServer
from opencode_mcp.server.notifications import subscriptions as subscriptions_module
from opencode_mcp.server.notifications.subscriptions import CountingBus, Subscriptions
from opencode_mcp.settings import Settings
from tests.harness.servers.opencode import OpenCode, free_port
from tests.harness.waiting import eventually

pytestmark = pytest.mark.anyio

URI = uris.transcript("ses_1")

older_calls = pytest.mark.filterwarnings("ignore::mcp.MCPDeprecationWarning")


# The bus


async def test_a_bus_knows_whether_anybody_listens() -> None:
    bus = CountingBus()
    received: list[ServerEvent] = []
    unsubscribe, unsubscribe_other = bus.subscribe(received.append), bus.subscribe(received.append)
    assert bus.streams == 2
    await bus.publish(ResourcesListChanged())
    unsubscribe()
    unsubscribe()
    assert bus.streams == 1
    await bus.publish(PromptsListChanged())
    unsubscribe_other()
    assert bus.streams == 0
    assert received == [ResourcesListChanged(), ResourcesListChanged(), PromptsListChanged()]


async def test_a_subscription_list_without_subscribers_wants_nothing() -> None:
    subscriptions = Subscriptions()
    assert not subscriptions.anybody
    assert subscriptions.wanted() == set()
    await subscriptions.notify(ResourceUpdated(URI))


# Clients of a server in this process


@pytest.fixture
def server(opencode_server: OpenCode) -> BridgeServer:
    """A server at the run's OpenCode."""
    return build_server(Settings(url=opencode_server.url, password=opencode_server.password))


class ListeningClient:
    """A client of the 2025 era and what it received; while ``reads`` is not set it reads nothing."""

    def __init__(self) -> None:
        self.received: list[str] = []
        self.reads = anyio.Event()
        self.reads.set()

    async def __call__(self, message: object) -> None:
        """Receive a notification."""
        await self.reads.wait()
        if isinstance(message, ResourceListChangedNotification):
            self.received.append(message.method)

    async def was_notified(self, *, more_than: int = 0) -> bool:
        """Return True if it was notified of the list of resources."""
        return len(self.received) > more_than


@asynccontextmanager
async def older(server: BridgeServer, listening: ListeningClient) -> AsyncGenerator[Client]:
    async with Client(server, mode="legacy", message_handler=listening) as client:
        # What is asked later is answered later: the server knows then that the client is ready.
        await client.list_resource_templates()
        yield client


async def test_a_stream_wants_its_resources_for_as_long_as_it_is_open(server: BridgeServer) -> None:
    async with Client(server) as client:
        wants = server.bridge.subscriptions
        async with client.listen(resource_subscriptions=[URI, uris.SESSIONS]):
            assert wants.wanted() == {URI, uris.SESSIONS}
            async with client.listen(resource_subscriptions=[URI]):
                assert wants.wanted() == {URI, uris.SESSIONS}
            await eventually(lambda: counted(wants, 1))
            assert wants.wanted() == {URI, uris.SESSIONS}
        await eventually(lambda: counted(wants, 0))
        assert wants.wanted() == set()
        assert not wants.anybody


async def counted(subscriptions: Subscriptions, streams: int) -> bool:
    return subscriptions.bus.streams == streams


async def test_a_stream_of_lists_alone_wants_no_resource(server: BridgeServer) -> None:
    async with Client(server) as client, client.listen(resources_list_changed=True):
        assert server.bridge.subscriptions.wanted() == set()
        assert server.bridge.subscriptions.anybody
        assert server.bridge.connection.endpoint is None


@older_calls
async def test_a_client_of_the_older_era_wants_what_it_subscribed_to_until_it_is_gone(server: BridgeServer) -> None:
    async with older(server, ListeningClient()) as client:
        wants = server.bridge.subscriptions
        await client.subscribe_resource(URI)  # pyright: ignore[reportDeprecated] - what that era has
        assert wants.wanted() == {URI}
        await client.unsubscribe_resource(URI)  # pyright: ignore[reportDeprecated] - what that era has
        assert wants.wanted() == set()
        assert wants.anybody
        await client.subscribe_resource(URI)  # pyright: ignore[reportDeprecated] - what that era has
    assert wants.wanted() == set()
    assert not wants.anybody


@older_calls
async def test_a_client_that_is_gone_while_others_stay_is_forgotten(server: BridgeServer) -> None:
    async with served(server) as url, Client(url, mode="legacy") as staying:
        wants = server.bridge.subscriptions
        await staying.subscribe_resource(uris.SESSIONS)  # pyright: ignore[reportDeprecated] - what that era has
        async with Client(url, mode="legacy") as leaving:
            await leaving.subscribe_resource(URI)  # pyright: ignore[reportDeprecated] - what that era has
            assert wants.wanted() == {URI, uris.SESSIONS}

        async def forgotten() -> bool:
            return wants.wanted() == {uris.SESSIONS}

        await eventually(forgotten)


@asynccontextmanager
async def served(server: BridgeServer) -> AsyncGenerator[str]:
    """Serve several clients over HTTP; yields the address."""
    port = free_port()
    serving = uvicorn.Server(
        uvicorn.Config(server.streamable_http_app(), port=port, log_level="warning", timeout_graceful_shutdown=1)
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serving.serve)

        async def started() -> bool:
            return serving.started

        await eventually(started)
        yield f"http://127.0.0.1:{port}/mcp"
        serving.should_exit = True


async def test_a_client_that_reads_nothing_does_not_hold_up_the_others(server: BridgeServer) -> None:
    stalled, other = ListeningClient(), ListeningClient()
    stalled.reads = anyio.Event()
    async with older(server, stalled), older(server, other):
        wants = server.bridge.subscriptions
        for _ in range(3):
            before = len(other.received)
            await wants.notify(ResourcesListChanged())
            await eventually(lambda before=before: other.was_notified(more_than=before))
        assert stalled.received == []
        stalled.reads.set()
        await eventually(stalled.was_notified)


@older_calls
async def test_a_client_has_a_bounded_number_of_subscriptions(
    server: BridgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions_module, "SUBSCRIPTIONS_A_CLIENT", 2)
    async with older(server, ListeningClient()) as client:
        await client.subscribe_resource(URI)  # pyright: ignore[reportDeprecated] - what that era has
        await client.subscribe_resource(uris.SESSIONS)  # pyright: ignore[reportDeprecated] - what that era has
        with pytest.raises(MCPError, match="at most 2 subscriptions"):
            await client.subscribe_resource(uris.PROJECT)  # pyright: ignore[reportDeprecated] - what that era has


@older_calls
@pytest.mark.parametrize("uri", ["", "opencode://session/" + "x" * 10_000])
async def test_an_address_that_is_empty_or_too_long_is_not_kept(server: BridgeServer, uri: str) -> None:
    async with older(server, ListeningClient()) as client:
        with pytest.raises(MCPError, match="each to a URI of at most"):
            await client.subscribe_resource(uri)  # pyright: ignore[reportDeprecated] - what that era has
        await client.subscribe_resource(URI)  # pyright: ignore[reportDeprecated] - what that era has


async def test_a_stream_of_changes_has_a_bounded_number_of_subscriptions(
    server: BridgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions_module, "SUBSCRIPTIONS_A_CLIENT", 2)
    async with Client(server) as client:
        with pytest.raises(MCPError, match="at most 2 subscriptions"):
            async with client.listen(resource_subscriptions=[URI, uris.SESSIONS, uris.PROJECT]):
                pass
