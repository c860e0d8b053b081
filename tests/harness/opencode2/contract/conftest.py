"""Clients of the OpenCode 2 that all tests share, and places for one of a test's own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from opencode import AsyncOpencode

from tests.harness.opencode2.environment import environment
from tests.harness.opencode2.fixtures import skip_without_engine
from tests.harness.opencode2.running import OpenCode2
from tests.harness.servers.model import ScriptedModel
from tests.harness.waiting import eventually


@pytest.fixture
async def client(opencode2: OpenCode2, shared_project: Path) -> AsyncIterator[AsyncOpencode]:
    async with AsyncOpencode(
        opencode2.url, password=opencode2.password, directory=shared_project, timeout=60, max_retries=0
    ) as client:
        yield client


@pytest.fixture
async def settled(client: AsyncOpencode) -> AsyncOpencode:
    """The client, once the project has its agents and models: for seconds they are empty lists."""

    async def look() -> bool:
        return bool((await client.agent.list()).data and (await client.model.list()).data)

    await eventually(look, seconds=60)
    return client


@pytest.fixture
def switched_back(opencode2: OpenCode2) -> Iterator[OpenCode2]:
    """The server for a test that turns switches on; they are off again after it."""
    yield opencode2
    opencode2.switch(user_rejects=False, same_id_conflicts=False, unknown_is_404=False, starting=False)


@pytest.fixture
def own_folder(tmp_path: Path) -> Path:
    """Folder of the files of one test's OpenCode 2."""
    skip_without_engine()
    return tmp_path / "own"


@pytest.fixture
def own_environment(own_folder: Path, scripted_model: ScriptedModel) -> dict[str, str]:
    return environment(own_folder, scripted_model.url)
