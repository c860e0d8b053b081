"""Many requests at once share few connections, and one that says how long it may take is not held up by them."""

import anyio
import pytest

from opencode_mcp.errors import BackendTimeout
from opencode_mcp.opencode.http_client.codec import Reply, encode
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.opencode.http_client.transport import MAX_CONCURRENT_REQUESTS, Transport
from tests.harness.faults.proxy import proxy_to
from tests.harness.operations import operation
from tests.harness.servers.opencode import OpenCode
from tests.wires import connects

pytestmark = pytest.mark.anyio

HEALTH = encode(operation("global.health"))
SECONDS = 30


async def test_a_burst_of_requests_is_answered_over_few_connections(opencode_server: OpenCode) -> None:
    replies: list[Reply] = []
    async with proxy_to(opencode_server.url) as proxy:
        transport = Transport(Endpoint(url=proxy.url, password=opencode_server.password))

        async def ask() -> None:
            replies.append(await transport.send(HEALTH))

        with anyio.fail_after(SECONDS):
            async with anyio.create_task_group() as tasks:
                for _ in range(5 * MAX_CONCURRENT_REQUESTS):
                    tasks.start_soon(ask)
        await transport.aclose()
        assert proxy.connections <= MAX_CONCURRENT_REQUESTS
    assert [reply.status for reply in replies] == [200] * (5 * MAX_CONCURRENT_REQUESTS)


async def test_a_request_that_is_not_queued_does_not_wait_for_its_turn(opencode_server: OpenCode) -> None:
    async with proxy_to(opencode_server.url) as proxy:
        transport = Transport(Endpoint(url=proxy.url, password=opencode_server.password))
        proxy.stall()
        with anyio.fail_after(SECONDS):
            async with anyio.create_task_group() as tasks:
                for _ in range(2 * MAX_CONCURRENT_REQUESTS):
                    tasks.start_soon(transport.send, HEALTH)
                await connects(proxy, MAX_CONCURRENT_REQUESTS)
                with pytest.raises(BackendTimeout):
                    await transport.send(HEALTH, timeout=0.5, queued=False)
                assert proxy.connections == MAX_CONCURRENT_REQUESTS + 1
                tasks.cancel_scope.cancel()
        await transport.aclose()
