"""A client that is notified of changed resources and lists, in either protocol era, over raw JSON-RPC.

In the 2025 era a client subscribes to single resources and is notified of all lists; in the 2026 era it opens a stream
that says which it wants.
"""

from collections.abc import Awaitable, Callable

from tests.harness.bridges.bridge import Era
from tests.harness.bridges.rawrpc import MODERN, Host, RawClient
from tests.harness.waiting import eventually

HOSTS = {"2025": Host(), "2026": Host(protocol=MODERN)}
UPDATED = "notifications/resources/updated"
RESOURCES_CHANGED = "notifications/resources/list_changed"
PROMPTS_CHANGED = "notifications/prompts/list_changed"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"

Unsubscribe = Callable[[], Awaitable[None]]


def host_of(era: Era) -> Host:
    """A host of an era."""
    return HOSTS[era]


async def subscribe(client: RawClient, *uris: str) -> Unsubscribe:
    """Subscribe to resources, and to the lists; call the result to unsubscribe, which has happened once it returns."""
    if client.host.modern:
        return await _open_stream(client, *uris)
    for uri in uris:
        await _must(client, "resources/subscribe", uri)

    async def unsubscribe() -> None:
        for uri in uris:
            await _must(client, "resources/unsubscribe", uri)

    return unsubscribe


async def _must(client: RawClient, method: str, uri: str) -> None:
    reply = await client.request(method, {"uri": uri})
    assert reply["result"] == {}, reply


async def _open_stream(client: RawClient, *uris: str) -> Unsubscribe:
    wanted = {"resourceSubscriptions": list(uris), "resourcesListChanged": True, "promptsListChanged": True}
    before = len(client.messages(ACKNOWLEDGED))
    number = await client.send("subscriptions/listen", {"notifications": wanted})
    await client.message(ACKNOWLEDGED, nth=before + 1)

    async def unsubscribe() -> None:
        await client.cancel(number)
        # What is asked later is answered later.
        await client.request("resources/templates/list")

    return unsubscribe


def notification_count(client: RawClient, uri: str) -> int:
    """Return the number of notifications about a resource."""
    return sum(message["params"]["uri"] == uri for message in client.messages(UPDATED))


async def wait_for_notification(client: RawClient, uri: str, *, more_than: int = 0) -> int:
    """Wait for a notification about a resource, and return their number."""

    async def look() -> int:
        times = notification_count(client, uri)
        return times if times > more_than else 0

    return await eventually(look)


async def list_notified(client: RawClient, method: str, *, more_than: int = 0) -> int:
    """Wait for a notification about a list, and return their number."""
    await client.message(method, nth=more_than + 1)
    return len(client.messages(method))
