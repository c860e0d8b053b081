"""One OpenCode 2 for all tests of the harness, in one project, since each directory costs it seconds to open."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from opencode import AsyncOpencode

from tests.harness.model import ScriptedModel
from tests.harness.opencode2.engine import exists_here
from tests.harness.opencode2.environment import environment
from tests.harness.opencode2.running import OpenCode2, running_opencode2
from tests.harness.project import make_project
from tests.harness.waiting import eventually

ASKING = {
    "agents": {
        "asking": {
            "mode": "primary",
            "description": "Asks before it runs a command",
            "permissions": [{"action": "shell", "resource": "*", "effect": "ask"}],
        }
    },
    "commands": {"greet": {"template": "Say hello to $ARGUMENTS", "description": "Greet somebody"}},
}


def skip_without_engine() -> None:
    """Skip where npm has no preview of OpenCode 2 for this kind of machine."""
    if not exists_here():
        pytest.skip("There is no preview of OpenCode 2 for this machine.")


@pytest.fixture(scope="session")
def engine_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    skip_without_engine()
    return tmp_path_factory.mktemp("opencode2")


@pytest.fixture(scope="session")
def opencode2_environment(engine_folder: Path, scripted_model: ScriptedModel) -> dict[str, str]:
    return environment(engine_folder, scripted_model.url, ASKING)


@pytest.fixture(scope="session")
def opencode2(opencode2_environment: dict[str, str], run_folder: Path) -> Iterator[OpenCode2]:
    with running_opencode2(opencode2_environment, run_folder / "opencode2.log") as server:
        yield server


@pytest.fixture(scope="session")
def shared_project(engine_folder: Path) -> Path:
    directory = engine_folder / "project"
    directory.mkdir()
    return make_project(directory)


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
    """Where an OpenCode 2 of one test keeps its files."""
    skip_without_engine()
    return tmp_path / "own"


@pytest.fixture
def own_environment(own_folder: Path, scripted_model: ScriptedModel) -> dict[str, str]:
    return environment(own_folder, scripted_model.url)
