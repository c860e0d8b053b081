"""Runs on the real OpenCode, with a proxy on the way to it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import anyio
import httpx
import pytest

from opencode_mcp.events.hub import Hub
from opencode_mcp.launcher.connection import Connection
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.runs.run_life import Runs
from opencode_mcp.runs.run_note import Notes
from opencode_mcp.server.tokens.token_codec import TokenCodec
from tests.events.conftest import endpoint, proxy
from tests.harness.project import SNAPSHOTS, configure, make_project
from tests.harness.servers.opencode import OpenCode
from tests.runs.worker import Worker
from tests.wires import Route

__all__ = ["endpoint", "proxy"]

SECONDS = 60
"""Limit for one test; none should need a tenth of it."""


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project for many tests: the first prompt in a directory takes OpenCode a second longer than the next ones."""
    return make_project(tmp_path_factory.mktemp("workplace"), for_all_modules=True)


@pytest.fixture(scope="session")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One in which OpenCode takes snapshots, and so knows what each run changes."""
    project = make_project(tmp_path_factory.mktemp("tracked"), for_all_modules=True)
    configure(project, SNAPSHOTS)
    return project


@pytest.fixture
async def http(opencode_server: OpenCode, workplace: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """A way to OpenCode beside the proxy, in the workplace."""
    async with opencode_server.client(workplace) as client:
        yield client


@pytest.fixture
async def hub(endpoint: Endpoint) -> AsyncGenerator[Hub]:
    with anyio.fail_after(SECONDS):
        async with aclosing(Connection(Route(endpoint))) as connection, anyio.create_task_group() as tasks:
            yield Hub(connection, tasks)
            tasks.cancel_scope.cancel()


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(TokenCodec(tmp_path / "state"))


@pytest.fixture
def runs(hub: Hub, notes: Notes) -> Runs:
    return Runs(hub, notes)


@pytest.fixture
def worker(runs: Runs, workplace: Path) -> Worker:
    return Worker(runs, str(workplace))


@pytest.fixture
def tracker(runs: Runs, tracked: Path) -> Worker:
    """A worker where OpenCode knows what each run changes."""
    return Worker(runs, str(tracked))
