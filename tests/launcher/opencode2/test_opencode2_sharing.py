"""Servers of OpenCode 2 that bridges share, replace and leave: one for each data folder."""

import os
import signal
import sys
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.launcher.data_folder import LOCK
from opencode_mcp.launcher.launcher import Launcher
from opencode_mcp.launcher.server_record import ServerRecord, StateFiles, files_for
from opencode_mcp.processes.ending import end
from opencode_mcp.settings import Settings
from tests.harness.processes.process import await_line, kill
from tests.harness.waiting import eventually
from tests.launcher.conftest import STOP_AFTER, Bridge, ended
from tests.launcher.opencode2.fake_opencode2 import write_fake_opencode2

if TYPE_CHECKING:
    from opencode_mcp.opencode.http_client.endpoint import Endpoint

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows runs no scripts by their first line"),
]


@pytest.fixture
def settings(tmp_path: Path, running: Path) -> Settings:
    return Settings(
        opencode=str(write_fake_opencode2(tmp_path / "opencode")),
        directories=(str(tmp_path),),
        stop_after=STOP_AFTER,
        state_directory=tmp_path / "state",
        environment={"HOME": str(tmp_path), "ANTHROPIC_API_KEY": "one", "FAKE_RUNNING": str(running)},
    )


@pytest.fixture
def running(tmp_path: Path) -> Path:
    """The folder with a file for each running session."""
    folder = tmp_path / "running"
    folder.mkdir()
    return folder


@pytest.fixture
def state(settings: Settings) -> StateFiles:
    return files_for(settings, 2)


def with_variable(settings: Settings, name: str, value: str) -> Settings:
    return replace(settings, environment={**settings.environment, name: value})


def record_of(settings: Settings) -> ServerRecord:
    record = files_for(settings, 2).read_record()
    assert record
    return record


async def left_by_a_killed_bridge(settings: Settings) -> ServerRecord:
    """Start a server and release its lease, as the system does for a bridge that was killed."""
    launcher = Launcher(settings)
    await launcher.locate()
    assert launcher._lease  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    launcher._lease.release()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return record_of(settings)


async def test_an_idle_server_with_another_key_is_replaced(settings: Settings) -> None:
    before = await left_by_a_killed_bridge(settings)
    async with aclosing(Launcher(with_variable(settings, "ANTHROPIC_API_KEY", "two"))) as launcher:
        endpoint = await launcher.locate()
        assert endpoint.process
        assert endpoint.process != before.process
        assert not await before.process.runs()
    assert not await endpoint.process.runs()


async def test_an_idle_server_with_the_same_environment_is_shared(settings: Settings) -> None:
    before = await left_by_a_killed_bridge(settings)
    async with aclosing(Launcher(with_variable(settings, "TERM", "dumb"))) as launcher:
        assert await launcher.locate() == before.endpoint
    assert not await before.process.runs()


async def test_a_busy_server_with_another_key_is_neither_replaced_nor_shared(settings: Settings, running: Path) -> None:
    before = await left_by_a_killed_bridge(settings)
    (running / "ses_1").touch()
    try:
        async with aclosing(Launcher(with_variable(settings, "ANTHROPIC_API_KEY", "two"))) as launcher:
            with pytest.raises(InvalidSetting, match="other values of ANTHROPIC_API_KEY") as refused:
                await launcher.locate()
        assert await before.process.runs()
    finally:
        await end(before.process, grace=5)
    for part in ("XDG_DATA_HOME", "the same values"):
        assert part in refused.value.hint


async def test_two_state_folders_have_no_two_servers_on_one_data_folder(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    linked = with_variable(settings, "XDG_DATA_HOME", str(tmp_path / "link" / ".local" / "share"))
    other = replace(linked, state_directory=tmp_path / "other state")
    async with aclosing(Launcher(settings)) as launcher:
        endpoint = await launcher.locate()
        async with aclosing(Launcher(other)) as refused:
            with pytest.raises(InvalidSetting, match="on the same data folder") as error:
                await refused.locate()
        assert str(settings.state_directory) in error.value.message
        assert "OPENCODE_MCP_STATE" in error.value.hint
        assert files_for(other, 2).read_record() is None
        assert endpoint.process
        assert await endpoint.process.runs()
    async with aclosing(Launcher(other)) as second:
        assert (await second.locate()).pid != endpoint.pid


async def test_a_server_of_another_database_needs_no_other_data_folder(settings: Settings, tmp_path: Path) -> None:
    other = with_variable(replace(settings, state_directory=tmp_path / "other state"), "OPENCODE_DB", "other.db")
    async with aclosing(Launcher(settings)) as first, aclosing(Launcher(other)) as second:
        assert (await first.locate()).pid != (await second.locate()).pid


async def test_a_data_folder_without_locks_is_used_with_a_warning(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # As where the folder is read-only or belongs to somebody else: the file of the lock cannot be opened.
    (tmp_path / ".local" / "share" / "opencode" / LOCK).mkdir(parents=True)
    async with aclosing(Launcher(settings)) as launcher:
        await launcher.locate()
    assert "without a lock on its data folder" in caplog.text
    assert LOCK in caplog.text


async def test_a_busy_server_is_left_running_by_its_last_bridge_and_interrupted_before_it_is_ended(
    settings: Settings, state: StateFiles, running: Path, tmp_path: Path
) -> None:
    async with aclosing(Launcher(replace(settings, stop_after=1))) as launcher:
        await launcher.locate()
        (running / "ses_1").touch()
    record = record_of(settings)
    assert record.left_busy
    assert await record.process.runs()
    await ended(record.process)
    assert (tmp_path / "ses_1 interrupt").exists()

    async def forgotten() -> bool:
        return state.read_record() is None

    await eventually(forgotten)


async def test_a_killed_bridge_leaves_its_server_to_the_next(
    settings: Settings, state: StateFiles, bridge: Bridge, tmp_path: Path
) -> None:
    with bridge() as other:
        pid = int(await_line(other, tmp_path / "bridge.log", "located ", seconds=60))
        kill(other)
    async with aclosing(Launcher(settings)) as launcher:
        assert (await launcher.locate()).pid == pid
    assert state.read_record() is None


async def test_bridges_that_start_together_share_one_server(settings: Settings, state: StateFiles) -> None:
    found: list[Endpoint] = []

    async def locate(launcher: Launcher) -> None:
        found.append(await launcher.locate())

    launchers = [Launcher(settings) for _ in range(4)]
    async with anyio.create_task_group() as tasks:
        for launcher in launchers:
            tasks.start_soon(locate, launcher)
    assert len({endpoint.pid for endpoint in found}) == 1
    for launcher in launchers:
        await launcher.aclose()
    assert state.read_record() is None


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_server_that_died_or_hangs_is_replaced(
    settings: Settings, state: StateFiles, fault: signal.Signals
) -> None:
    async with aclosing(Launcher(settings, answer_timeout=1, start_timeout=20)) as launcher:
        first = await launcher.locate()
        assert first.process
        record = record_of(settings)
        state.write_record(replace(record, started=record.started - 60))
        os.kill(first.process.pid, fault)
        second = await launcher.locate()
        assert second.pid != first.pid
        assert not await first.process.runs()
