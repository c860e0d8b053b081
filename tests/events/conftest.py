"""A proxy in front of the run's OpenCode, and sessions to listen to."""

import os
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.processes.identity import Process
from opencode_mcp.processes.process_table import born
from tests.harness.faults.proxy import Proxy, proxy_to
from tests.harness.opencode2.running import OpenCode2
from tests.harness.servers.opencode import OpenCode


@pytest.fixture
async def proxy(opencode_server: OpenCode | OpenCode2) -> AsyncGenerator[Proxy]:
    async with proxy_to(opencode_server.url) as between:
        yield between


@pytest.fixture
def endpoint(request: pytest.FixtureRequest, proxy: Proxy, opencode_server: OpenCode | OpenCode2) -> Endpoint:
    """OpenCode behind the proxy; with the parameter True, the proxy counts as the person's background service."""
    generation = 2 if isinstance(opencode_server, OpenCode2) else 1
    found = Endpoint(url=proxy.url, password=opencode_server.password, generation=generation)
    if not getattr(request, "param", False):
        return found
    return replace(found, process=Process(os.getpid(), born(os.getpid()), is_alone=True), is_service=True)


@pytest.fixture
async def http(opencode_server: OpenCode, project: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """A way to OpenCode beside the proxy, in the project."""
    async with opencode_server.client(project) as client:
        # What is stopped in the first second of a directory's life leaves it broken, unless this came first.
        (await client.get("/provider")).raise_for_status()
        yield client
