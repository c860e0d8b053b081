"""One bridge for each protocol era, and projects that stay warm: what most tests here share."""

from collections.abc import AsyncGenerator
from pathlib import Path
from secrets import token_hex
from typing import cast

import pytest

from opencode_mcp.opencode.versions import Generation
from tests.harness.bridges.bridge import Bridge, Era, open_bridge
from tests.harness.bridges.launch import Launch, attaching
from tests.harness.bridges.transport import Transport
from tests.harness.opencode2.running import OpenCode2
from tests.harness.project import SNAPSHOTS, configure, make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.integration.host import Host

VERIFY = """
[verify]
test = "echo made > made.txt; cat proof.txt"
slow = {command = "echo begun > begun.txt; echo $$ > pid.txt; sleep 600", seconds = 60}
short = {command = "sleep 600", seconds = 0.3}
"""
"""Commands that verify the work of runs."""


@pytest.fixture(scope="package")
def era(request: pytest.FixtureRequest) -> Era:
    """The protocol era of a test's host; all tests of one era run before those of the other."""
    return cast("Era", request.param)


@pytest.fixture
def case(era: Era, opencode_generation: Generation) -> str:
    """A suffix for the names of files in a shared project, which a test needs anew at each try."""
    return f"{era}-{opencode_generation}-{token_hex(3)}"


@pytest.fixture
def without_latest_sessions(opencode_server: OpenCode | OpenCode2) -> None:
    """Delete what other tests did in the last minute, which takes places from the batches of a bridge that starts."""
    if isinstance(opencode_server, OpenCode):
        opencode_server.delete_latest_sessions()


@pytest.fixture(scope="package")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project for many tests: the first prompt in a directory takes OpenCode a second longer than the next ones."""
    return make_project(tmp_path_factory.mktemp("workplace"), for_all_modules=True)


def make_asking_project(directory: Path, *, for_all_modules: bool = False) -> Path:
    """Make a project in which OpenCode asks before it runs a command; the arguments are those of ``make_project``."""
    configure(make_project(directory, for_all_modules=for_all_modules), {"permission": {"bash": "ask"}})
    return directory


@pytest.fixture(scope="package")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another one, in which OpenCode asks before it runs a command."""
    return make_asking_project(tmp_path_factory.mktemp("asking"), for_all_modules=True)


@pytest.fixture(scope="module")
def asking_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for one module, whose tests look at everything that is asked there."""
    return make_asking_project(tmp_path_factory.mktemp("asking"))


@pytest.fixture(scope="package")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One in which OpenCode takes snapshots, and so reports what each run changes."""
    project = make_project(tmp_path_factory.mktemp("tracked"), for_all_modules=True)
    configure(project, SNAPSHOTS)
    return project


@pytest.fixture(scope="package")
def shared_launch(
    tmp_path_factory: pytest.TempPathFactory,
    scripted_model: ScriptedModel,
    opencode_server: OpenCode,
    workplace: Path,
    asking: Path,
    tracked: Path,
) -> Launch:
    """A bridge at the run's OpenCode, fenced into these projects."""
    folder = tmp_path_factory.mktemp("bridge")
    launch = attaching(folder, scripted_model, opencode_server, workplace)
    launch = launch.with_flags("--directory", str(asking), "--directory", str(tracked), "--allow", "session.shell")
    settings = folder / "settings.toml"
    settings.write_text(VERIFY, encoding="utf-8")
    return launch.within(OPENCODE_MCP_CONFIG=str(settings))


@pytest.fixture(scope="package")
async def shared_bridge(era: Era, shared_launch: Launch) -> AsyncGenerator[Bridge]:
    """A bridge that serves all tests of one era."""
    async with open_bridge(shared_launch, era=era) as bridge:
        yield bridge


@pytest.fixture(scope="package")
async def shared_http_bridge(era: Era, shared_launch: Launch) -> AsyncGenerator[Bridge]:
    """A bridge that serves the tests of one era that run over HTTP."""
    async with open_bridge(shared_launch, era=era, transport="http") as bridge:
        yield bridge


@pytest.fixture
def host(request: pytest.FixtureRequest, era: Era, opencode_generation: Generation, transport: Transport) -> Host:
    """A host that is connected to a shared bridge, and has received no progress yet."""
    del era, opencode_generation  # They select the bridge.
    shared = cast("Bridge", request.getfixturevalue("shared_http_bridge" if transport == "http" else "shared_bridge"))
    return Host(Bridge(shared.client, shared.launch))
