"""Settings of a test's own shared server, and the bridges beside it; whatever server is left is ended."""

import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from pathlib import Path
from subprocess import Popen

import anyio
import pytest

from opencode_mcp.launcher.server_record import StateFiles, files_for
from opencode_mcp.processes.ending import end
from opencode_mcp.processes.identity import Process
from opencode_mcp.settings import Settings
from tests.harness.processes.isolation import ROOT
from tests.harness.processes.process import spawned
from tests.harness.servers.opencode import binary
from tests.harness.waiting import eventually

STOP_AFTER = 120.0
"""Seconds after which what a killed test run left behind ends."""
Bridge = Callable[[], AbstractContextManager[Popen[bytes]]]


@pytest.fixture
async def settings(tmp_path: Path, opencode_environment: dict[str, str], project: Path) -> AsyncGenerator[Settings]:
    """Settings with a state folder of this test alone."""
    settings = Settings(
        opencode=str(binary()),
        directories=(str(project),),
        stop_after=STOP_AFTER,
        state_directory=tmp_path / "state",
        environment=opencode_environment,
    )
    yield settings
    for path in settings.state_directory.glob("servers/*"):
        record = StateFiles(path).read_record()
        if record is not None:
            await end(record.process, grace=5)


@pytest.fixture
def state(settings: Settings) -> StateFiles:
    """The files of the server that these settings lead to; its folder is not made yet."""
    return files_for(settings, 1)


@pytest.fixture
def bridge(settings: Settings, tmp_path: Path) -> Bridge:
    """Runs another bridge with the same settings; what it prints goes to ``bridge.log``."""
    environment = {
        **settings.environment,
        "OPENCODE_MCP_STATE": str(settings.state_directory),
        "OPENCODE_BIN": settings.opencode,
    }
    command = [sys.executable, "-m", "tests.launcher.bridge"]
    return lambda: spawned(command, environment=environment, log=tmp_path / "bridge.log", directory=ROOT)


def guard_of(server: Process) -> int:
    """The process that started an OpenCode, on Linux."""
    stat = Path(f"/proc/{server.pid}/stat").read_text(encoding="utf-8")
    return int(stat.rpartition(")")[2].split()[1])


async def read(path: Path) -> str:
    """Return the content of a file; an empty text if there is none yet."""
    found = anyio.Path(path)
    return await found.read_text(encoding="utf-8") if await found.exists() else ""


async def ended(server: Process) -> None:
    """Wait until a server has ended."""

    async def look() -> bool:
        return not await server.runs()

    await eventually(look, seconds=30)
