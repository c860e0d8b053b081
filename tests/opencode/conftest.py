"""Settings of a test's own shared server, and the bridges beside it; whatever server is left is ended."""

import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from pathlib import Path
from subprocess import Popen

import pytest

from opencode_mcp.config import Settings
from opencode_mcp.opencode.processes import end
from opencode_mcp.opencode.state_file import StateFiles
from tests.harness.isolation import ROOT
from tests.harness.opencode import binary
from tests.harness.process import spawned

Bridge = Callable[[], AbstractContextManager[Popen[bytes]]]


@pytest.fixture
def state(tmp_path: Path) -> StateFiles:
    """The state directory of this test alone; nobody has made it yet."""
    return StateFiles(tmp_path / "state")


@pytest.fixture
async def settings(state: StateFiles, opencode_environment: dict[str, str], project: Path) -> AsyncGenerator[Settings]:
    yield Settings(
        opencode=str(binary()),
        directories=(str(project),),
        state_directory=state.directory,
        environment=opencode_environment,
    )
    record = state.read_record()
    if record is not None:
        await end(record.process, grace=5)


@pytest.fixture
def bridge(settings: Settings, tmp_path: Path) -> Bridge:
    """Runs another bridge with the same settings; what it prints goes to ``bridge.log``."""
    environment = {
        **settings.environment,
        "OPENCODE_MCP_STATE": str(settings.state_directory),
        "OPENCODE_BIN": settings.opencode,
    }
    command = [sys.executable, "-m", "tests.opencode.bridge"]
    return lambda: spawned(command, environment=environment, log=tmp_path / "bridge.log", directory=ROOT)
