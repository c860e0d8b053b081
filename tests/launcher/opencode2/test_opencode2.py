"""An OpenCode 2 that bridges start: found by its executable, shared, kept from its tools, interrupted, ended."""

import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
import pytest
from opencode import AsyncOpencode

from opencode_mcp.errors import InvalidSetting, Unauthorized
from opencode_mcp.launcher.background_service import registration_file
from opencode_mcp.launcher.health import check, is_busy
from opencode_mcp.launcher.launcher import Launcher
from opencode_mcp.launcher.server_record import ServerRecord, StateFiles, files_for
from opencode_mcp.launcher.stopping import interrupting_command
from opencode_mcp.settings import Settings
from tests.harness.opencode2.driving import prompt
from tests.harness.opencode2.environment import environment
from tests.harness.opencode2.fixtures import skip_without_engine
from tests.harness.opencode2.running import write_executable
from tests.harness.project import configure, make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.waiting import eventually
from tests.launcher.conftest import STOP_AFTER, ended, guard_of, read
from tests.scripted_model.opencode2 import shell
from tests.scripted_model.script import hold, script, step, text

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform == "win32", reason="the program is a script that Windows does not start"),
]
START = 90.0


def settings_in(folder: Path, model: ScriptedModel) -> Settings:
    """Settings with a state folder, a data folder and an executable of a test's own."""
    skip_without_engine()
    (folder / "project").mkdir(parents=True)
    return Settings(
        opencode=str(write_executable(folder / "opencode")),
        directories=(str(make_project(folder / "project")),),
        stop_after=STOP_AFTER,
        username="somebody",
        state_directory=folder / "state",
        environment=environment(folder / "own", model.url),
    )


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, scripted_model: ScriptedModel) -> Settings:
    return settings_in(tmp_path_factory.mktemp("opencode2"), scripted_model)


@pytest.fixture(scope="module")
def state(settings: Settings) -> StateFiles:
    return files_for(settings, 2)


@pytest.fixture(scope="module")
async def record(settings: Settings, state: StateFiles) -> AsyncIterator[ServerRecord]:
    """The server of this module, which one bridge has started."""
    async with aclosing(Launcher(settings, start_timeout=START)) as launcher:
        await launcher.locate()
        found = state.read_record()
        assert found
        yield found
    await ended(found.process)
    assert state.read_record() is None


@pytest.fixture
async def client(record: ServerRecord, settings: Settings) -> AsyncIterator[AsyncOpencode]:
    async with AsyncOpencode(
        record.url, password=record.password, directory=settings.directories[0], timeout=60, max_retries=0
    ) as client:
        yield client


async def test_it_is_started_and_shared_by_its_generation(settings: Settings, record: ServerRecord) -> None:
    async with aclosing(Launcher(settings)) as second:
        endpoint = await second.locate()
    assert endpoint == record.endpoint
    assert (endpoint.generation, endpoint.username) == (2, "opencode")
    health = await check(endpoint, timeouts=[20])
    assert (health.generation, health.version) == (2, record.version)


async def test_a_bridge_without_an_executable_shares_it(settings: Settings, record: ServerRecord) -> None:
    bare = replace(settings, opencode="/absent/opencode")
    async with aclosing(Launcher(bare)) as launcher:
        assert await launcher.locate() == record.endpoint


async def test_a_bridge_with_another_key_does_not_start_a_second_server_on_the_same_data(
    settings: Settings, record: ServerRecord
) -> None:
    other = replace(settings, environment={**settings.environment, "ANTHROPIC_API_KEY": "another key"})
    async with aclosing(Launcher(other)) as launcher:
        with pytest.raises(InvalidSetting, match="other values of ANTHROPIC_API_KEY") as refused:
            await launcher.locate()
    assert "another key" not in str(refused.value)
    assert await record.process.runs()


async def test_it_is_attached_to_by_the_registration_of_a_background_service(
    settings: Settings, record: ServerRecord
) -> None:
    path = registration_file(settings.environment)
    path.parent.mkdir(parents=True, exist_ok=True)
    said = {"id": "x", "version": "2.1.2", "url": record.url, "pid": record.process.pid, "password": record.password}
    path.write_text(json.dumps(said), encoding="utf-8")
    path.chmod(0o600)
    async with aclosing(Launcher(replace(settings, attach="service"))) as launcher:
        service = replace(record.endpoint, is_service=True)
        assert replace(await launcher.locate(), process=record.process) == service
    assert await record.process.runs()
    with pytest.raises(Unauthorized) as refused:
        await Launcher(replace(settings, url=record.url)).locate()
    assert "--attach service" in refused.value.hint
    path.unlink()


async def test_no_program_that_it_starts_has_its_password(
    client: AsyncOpencode, settings: Settings, record: ServerRecord, tmp_path: Path
) -> None:
    dump = tmp_path / "dump"
    dump.write_text('#!/bin/sh\nenv > "$1.part"; mv "$1.part" "$1"; sleep 2\n', encoding="utf-8")
    dump.chmod(0o755)
    mcp, pty, shell_line, tool = (tmp_path / f"{name}.env" for name in ("mcp", "pty", "shell", "tool"))
    server = {"type": "local", "command": [str(dump), str(mcp)]}
    configure(Path(settings.directories[0]), {"mcp": {"servers": {"dump": server}}})
    result = await client.session.run(script(shell(f"{dump} {tool}"), text("Done.")), timeout=60)
    assert result.outcome == "succeeded"
    await client.shell.create(command=f"{dump} {shell_line}", timeout_=20_000)
    await client.pty.create(command=str(dump), args=[str(pty)])
    for found in (mcp, pty, shell_line, tool):
        printed = await eventually(partial(read, found), seconds=60)
        assert "OPENCODE_CONFIG_CONTENT=" in printed, found.name
        assert record.password not in printed, found.name
        # The engine of the tests has a password of its own behind the proxy.
        assert not re.search(r"PASSWORD=[^*]", printed), found.name


async def test_its_runs_are_interrupted_before_it_is_stopped(
    client: AsyncOpencode, record: ServerRecord, state: StateFiles, scripted_model: ScriptedModel
) -> None:
    session = await prompt(client, script(step(text("Begun."), hold("stopping"))))
    await scripted_model.reached("stopping")
    assert await is_busy(record.endpoint, since=record.started)
    # As the guard does before it ends the server.
    await anyio.run_process(interrupting_command(state, record.generation))
    assert not await is_busy(record.endpoint, since=record.started)
    assert (await client.session.get(session)).outcome == "interrupted"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells who started a process")
async def test_it_ends_when_its_guard_is_killed(tmp_path: Path, scripted_model: ScriptedModel) -> None:
    settings = settings_in(tmp_path, scripted_model)
    async with aclosing(Launcher(settings, start_timeout=START)) as launcher:
        process = (await launcher.locate()).process
        assert process
        os.kill(guard_of(process), signal.SIGKILL)
        await ended(process)
    assert files_for(settings, 2).read_record() is None
