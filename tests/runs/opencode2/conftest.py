"""Runs on the preview of OpenCode 2, behind the proxy with the released contract."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from opencode_mcp.events.hub import Hub
from opencode_mcp.launcher.health import connected
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.runs.commands import Commands
from opencode_mcp.runs.run_life import Runs
from tests.harness.opencode2.running import OpenCode2


@pytest.fixture
def endpoint(opencode2: OpenCode2) -> Endpoint:
    return Endpoint(url=opencode2.url, password=opencode2.password, generation=2)


@pytest.fixture
def workplace(shared_project: Path) -> Path:
    return shared_project


@pytest.fixture
async def client(endpoint: Endpoint) -> AsyncIterator[OpenCodeClient]:
    async with connected(endpoint) as client:
        yield client


@pytest.fixture
async def commands(runs: Runs, hub: Hub) -> AsyncIterator[Commands]:
    async with anyio.create_task_group() as tasks:
        yield Commands(runs, hub, tasks)
        tasks.cancel_scope.cancel()
