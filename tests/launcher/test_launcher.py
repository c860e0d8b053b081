"""One server for all bridges: found, started, shared and stopped, whatever happens to the bridges."""

import itertools
import logging
import os
import shutil
import signal
import stat
import subprocess
import sys
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from opencode_mcp.disk.bridge_locks import hold
from opencode_mcp.errors import BackendTimeout, OpenCodeNotInstalled, OpenCodeNotStarting
from opencode_mcp.launcher import launcher as launcher_module
from opencode_mcp.launcher.health import check, connected, is_busy
from opencode_mcp.launcher.launcher import Launcher
from opencode_mcp.launcher.server_record import ServerRecord, StateFiles
from opencode_mcp.opencode.vocabulary.submission import PromptSubmission
from opencode_mcp.processes.identity import Process
from opencode_mcp.runs.prompting.message_ids import new_message_id
from opencode_mcp.settings import Settings
from tests.harness.processes.process import await_line, kill
from tests.harness.servers.model import ScriptedModel
from tests.harness.waiting import eventually
from tests.launcher.conftest import Bridge, ended
from tests.scripted_model.script import hold as hold_here
from tests.scripted_model.script import script, step, text

if TYPE_CHECKING:
    from opencode_mcp.opencode.http_client.endpoint import Endpoint

pytestmark = [pytest.mark.anyio, pytest.mark.integration]
LOCATED = "located "
START = 60.0


def record_of(state: StateFiles) -> ServerRecord:
    record = state.read_record()
    assert record
    return record


async def recorded(state: StateFiles) -> ServerRecord:
    async def look() -> bool:
        record = state.read_record()
        return record is not None and record.process.pid != 0

    await eventually(look, seconds=START)
    return record_of(state)


async def give_up(launcher: Launcher, state: StateFiles) -> ServerRecord:
    """Cancel a caller as soon as the server that it starts runs."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(launcher.locate)
        await recorded(state)
        tasks.cancel_scope.cancel()
    return record_of(state)


def close(bridge: subprocess.Popen[bytes]) -> None:
    assert bridge.stdin
    bridge.stdin.close()
    assert bridge.wait(20) == 0


async def assert_nothing_is_left(state: StateFiles, server: Process) -> None:
    await ended(server)
    assert state.read_record() is None
    assert list(state.leases.iterdir()) == []


async def test_callers_at_the_same_time_share_one_start_and_the_last_bridge_stops_the_server(
    settings: Settings, state: StateFiles
) -> None:
    found: list[Endpoint] = []

    async def locate(launcher: Launcher) -> None:
        found.append(await launcher.locate())

    async with aclosing(Launcher(settings)) as launcher:
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(locate, launcher)
        record = record_of(state)
        assert found == [record.endpoint] * 5
        assert (await check(record.endpoint, timeouts=[20])).version == record.version
        assert await record.process.runs()
        for path in (state.record, state.output, *state.leases.iterdir()):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await assert_nothing_is_left(state, record.process)


async def test_bridges_that_start_together_share_one_server_which_only_the_last_stops(
    settings: Settings, state: StateFiles, bridge: Bridge, tmp_path: Path
) -> None:
    log = tmp_path / "bridge.log"
    last = Launcher(settings)
    with bridge() as first, bridge() as second:

        async def both() -> list[str]:
            lines = [line for line in log.read_text(encoding="utf-8").splitlines() if line.startswith(LOCATED)]
            return lines if len(lines) == 2 else []

        (located,) = set(await eventually(both, seconds=START))
        record = record_of(state)
        assert (await last.locate()).pid == int(located.removeprefix(LOCATED))
        for other in (first, second):
            close(other)
            assert await record.process.runs()
    await last.aclose()
    await assert_nothing_is_left(state, record.process)


async def test_bridges_with_another_executable_or_none_share_the_server_and_of_all_that_leave_together_one_stops_it(
    settings: Settings, state: StateFiles, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = tmp_path / "opencode"
    other.symlink_to(settings.opencode)
    caplog.set_level(logging.INFO)
    executables = (settings.opencode, settings.opencode, str(other), "/absent/opencode", settings.opencode)
    bridges = [Launcher(replace(settings, opencode=executable)) for executable in executables]
    found = [await launcher.locate() for launcher in bridges]
    record = record_of(state)
    assert found == [record.endpoint] * 5
    assert f"this bridge would have started {other}" in caplog.text
    async with anyio.create_task_group() as tasks:
        for launcher in bridges:
            tasks.start_soon(launcher.aclose)
    await assert_nothing_is_left(state, record.process)


async def test_a_killed_bridge_leaves_its_server_to_the_next_which_stops_it_though_it_does_not_say_whether_it_is_busy(
    settings: Settings, state: StateFiles, bridge: Bridge, tmp_path: Path
) -> None:
    with bridge() as other:
        pid = int(await_line(other, tmp_path / "bridge.log", LOCATED, seconds=START))
        kill(other)
    record = record_of(state)
    assert await record.process.runs()
    async with aclosing(Launcher(settings)) as launcher:
        assert (await launcher.locate()).pid == pid
        os.kill(pid, signal.SIGSTOP)
    await assert_nothing_is_left(state, record.process)


async def test_a_bridge_killed_while_it_starts_a_server_leaves_it_to_the_next_which_stops_it_though_its_record_is_gone(
    settings: Settings, state: StateFiles, bridge: Bridge
) -> None:
    with bridge() as other:
        started = await recorded(state)
        kill(other)
    async with aclosing(Launcher(settings)) as launcher:
        assert (await launcher.locate()).pid == started.process.pid
        shutil.rmtree(state.directory)
    await ended(started.process)


async def test_a_start_whose_caller_gave_up_serves_the_next_caller_and_one_that_leaves_out_of_turn_stops_nothing(
    settings: Settings, state: StateFiles
) -> None:
    launcher = Launcher(settings)
    started = await give_up(launcher, state)
    assert (await launcher.locate()).pid == started.process.pid
    # While another bridge has the turn, this one is not the last.
    async with hold(state.lock, timeout=1):
        await launcher.aclose()
    assert await started.process.runs()
    assert list(state.leases.iterdir()) == []
    async with aclosing(Launcher(settings)) as launcher:
        assert (await launcher.locate()).pid == started.process.pid
    await assert_nothing_is_left(state, started.process)


async def test_a_start_whose_caller_gave_up_is_stopped_at_the_end(settings: Settings, state: StateFiles) -> None:
    async with aclosing(Launcher(settings)) as launcher:
        started = await give_up(launcher, state)
    await assert_nothing_is_left(state, started.process)


async def test_a_record_of_a_stranger_and_a_server_that_died_or_hangs_are_replaced(
    settings: Settings, state: StateFiles, caplog: pytest.LogCaptureFixture
) -> None:
    state.prepare()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:  # noqa: ASYNC220
        record_stranger(state, stranger.pid)
        async with aclosing(Launcher(settings, answer_timeout=1)) as launcher:
            first = await launcher.locate()
            assert first.pid
            assert first.pid != stranger.pid
            assert stranger.poll() is None
            os.kill(first.pid, signal.SIGKILL)
            second = await launcher.locate()
            assert second.pid != first.pid
            hung = record_of(state)
            assert hung.endpoint == second
            assert await launcher.locate() == second
            state.write_record(replace(hung, started=hung.started - 60))
            os.kill(hung.process.pid, signal.SIGSTOP)
            third = await launcher.locate()
            assert third.pid not in {first.pid, second.pid}
            await ended(hung.process)
        assert stranger.poll() is None
    assert f"process {second.pid}) does not answer any more" in caplog.text
    assert second.password not in caplog.text


async def test_a_silent_server_that_computes_is_not_ended(
    settings: Settings, state: StateFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with aclosing(Launcher(settings, answer_timeout=1)) as launcher:
        first = await launcher.locate()
        silent = record_of(state)
        state.write_record(replace(silent, started=silent.started - 60))
        used = itertools.count()

        async def computing(_process: Process) -> float:
            return next(used)

        monkeypatch.setattr(Process, "processor_seconds", computing)
        os.kill(silent.process.pid, signal.SIGSTOP)
        try:
            with pytest.raises(BackendTimeout, match="it is computing"):
                await launcher.locate()
        finally:
            os.kill(silent.process.pid, signal.SIGCONT)
        assert await launcher.locate() == first


def record_stranger(state: StateFiles, pid: int) -> None:
    """Record a server that ended, and whose process id another program has since got."""
    state.write_record(
        ServerRecord(
            url="http://127.0.0.1:9",
            username="opencode",
            password="forgotten",
            process=Process(pid, "long ago"),
            executable="/usr/bin/opencode",
            started=1,
        )
    )


async def test_a_busy_server_is_left_and_the_next_bridge_stops_it(
    settings: Settings, state: StateFiles, project: Path, scripted_model: ScriptedModel
) -> None:
    async with aclosing(Launcher(settings)) as launcher:
        endpoint = await launcher.locate()
        async with connected(endpoint) as client:
            session = await client.session_create(str(project))
            prompt = script(step(text("Begun."), hold_here("launcher")))
            await client.submit_prompt(
                session.id, str(project), PromptSubmission(message_id=new_message_id(), text=prompt)
            )
            await scripted_model.reached("launcher")
    record = record_of(state)
    assert await record.process.runs()
    async with aclosing(Launcher(settings)) as launcher:
        assert await launcher.locate() == endpoint
        await scripted_model.release("launcher")

        async def idle() -> bool:
            return not await is_busy(endpoint, since=record.started)

        await eventually(idle)
    await assert_nothing_is_left(state, record.process)


async def test_a_bridge_without_an_executable_and_a_server_says_so(settings: Settings, state: StateFiles) -> None:
    async with aclosing(Launcher(replace(settings, opencode="/absent/opencode"))) as launcher:
        with pytest.raises(OpenCodeNotInstalled, match="/absent/opencode"):
            await launcher.locate()
    assert list(state.leases.iterdir()) == []


async def test_a_bridge_that_never_gets_its_turn_says_who_has_it(
    settings: Settings, state: StateFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher_module, "UNRESPONSIVE_GRACE_SECONDS", 0.1)
    state.prepare()
    async with hold(state.lock, timeout=1):
        with pytest.raises(OpenCodeNotStarting, match=r"Another opencode-mcp has held .*server\.lock"):
            await Launcher(settings, start_timeout=0.1, answer_timeout=0.1).locate()


async def test_a_bridge_that_never_needed_a_server_leaves_no_trace(settings: Settings, state: StateFiles) -> None:
    await Launcher(settings).aclose()
    assert not state.directory.exists()
