"""The proxy does to a wire what the fault tests say it does."""

from contextlib import suppress
from functools import partial

import anyio
import httpx
import pytest

from tests.harness.faults.proxy import Proxy, proxy_to
from tests.harness.servers.http import loopback_client
from tests.harness.servers.opencode import OpenCode
from tests.harness.waiting import eventually

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


def through(proxy: Proxy, server: OpenCode) -> httpx.AsyncClient:
    return loopback_client(proxy.url, auth=("opencode", server.password), timeout=10)


async def held_by(proxy: Proxy) -> int:
    return proxy.held


async def test_it_passes_requests_on(opencode_server: OpenCode) -> None:
    async with proxy_to(opencode_server.url) as proxy, through(proxy, opencode_server) as http:
        assert (await http.get("/global/health")).json()["healthy"] is True
        assert proxy.connections == 1


async def test_a_cut_ends_a_stream_and_lets_the_next_connection_pass(opencode_server: OpenCode) -> None:
    async with proxy_to(opencode_server.url) as proxy, through(proxy, opencode_server) as http:
        async with http.stream("GET", "/global/event") as stream:
            lines = stream.aiter_lines()
            assert "server.connected" in await anext(lines)
            await proxy.cut()
            with anyio.fail_after(10), suppress(httpx.TransportError):
                async for _ in lines:
                    pass
        assert (await http.get("/global/health")).status_code == 200


async def test_refusing_lasts_until_it_accepts_again(opencode_server: OpenCode) -> None:
    async with proxy_to(opencode_server.url) as proxy, through(proxy, opencode_server) as http:
        await proxy.refuse()
        with pytest.raises(httpx.TransportError):
            await http.get("/global/health")
        proxy.accept()
        assert (await http.get("/global/health")).status_code == 200


async def test_stalled_bytes_arrive_when_it_resumes(opencode_server: OpenCode) -> None:
    async with (
        proxy_to(opencode_server.url) as proxy,
        through(proxy, opencode_server) as http,
        anyio.create_task_group() as tasks,
    ):
        answered = anyio.Event()

        async def ask() -> None:
            await http.get("/global/health")
            answered.set()

        proxy.stall()
        tasks.start_soon(ask)
        await eventually(partial(held_by, proxy))
        assert not answered.is_set()
        proxy.resume()
        with anyio.fail_after(10):
            await answered.wait()
