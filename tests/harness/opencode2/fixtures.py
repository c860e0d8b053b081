"""One OpenCode 2 for all tests, in one project, since each directory costs it seconds to open."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.opencode2.engine import exists_here
from tests.harness.opencode2.environment import environment, without_snapshots
from tests.harness.opencode2.running import OpenCode2, running_opencode2
from tests.harness.project import configure, make_project
from tests.harness.servers.model import ScriptedModel

ASKING = {
    "agents": {
        "asking": {
            "mode": "primary",
            "description": "Asks before it runs a command",
            "permissions": [{"action": "shell", "resource": "*", "effect": "ask"}],
        }
    },
    "commands": {
        "greet": {"template": "Say hello to $ARGUMENTS", "description": "Greet somebody"},
        "draft": {"template": "$ARGUMENTS", "description": "Plan something", "agent": "plan", "model": "scripted/m2"},
    },
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
    variables = environment(engine_folder, scripted_model.url, ASKING)
    without_snapshots(variables)
    return variables


@pytest.fixture(scope="session")
def opencode2(opencode2_environment: dict[str, str], run_folder: Path) -> Iterator[OpenCode2]:
    with running_opencode2(opencode2_environment, run_folder / "opencode2.log") as server:
        yield server


@pytest.fixture(scope="session")
def shared_project(engine_folder: Path) -> Path:
    directory = engine_folder / "project"
    directory.mkdir()
    make_project(directory, for_all_modules=True)
    configure(directory, {"snapshots": True})
    return directory
