"""The guard between a bridge and OpenCode: what hosts, faults and absent bridges do to the server that it started."""

import os
import signal
import sys
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from opencode_mcp.disk.file_locks import try_lock
from opencode_mcp.errors import BackendTimeout, InvalidSetting, NotAllowed, OpenCodeNotStarting
from opencode_mcp.launcher.executables.executable import Executable
from opencode_mcp.launcher.guarding.guard import Plan
from opencode_mcp.launcher.guarding.guarded_start import GuardedServer
from opencode_mcp.launcher.health import check, connected, is_busy
from opencode_mcp.launcher.launcher import Launcher
from opencode_mcp.launcher.server_record import ServerRecord, StateFiles, files_for
from opencode_mcp.launcher.starter import Starter
from opencode_mcp.opencode.vocabulary.submission import PromptSubmission
from opencode_mcp.processes.identity import Process
from opencode_mcp.processes.process_table import born, descendants
from opencode_mcp.runs.prompting.message_ids import new_message_id
from opencode_mcp.settings import Settings
from tests.harness.processes.process import await_line
from tests.harness.servers.model import ScriptedModel
from tests.harness.waiting import eventually
from tests.launcher.conftest import Bridge, ended, guard_of
from tests.scripted_model.script import hold, script, step, text

if TYPE_CHECKING:
    from opencode_mcp.opencode.http_client.endpoint import Endpoint

pytestmark = [pytest.mark.anyio, pytest.mark.integration]
LOCATED = "located "
START = 60.0


def record_of(state: StateFiles) -> ServerRecord:
    record = state.read_record()
    assert record
    return record


async def start_held_run(record: ServerRecord, project: Path, model: ScriptedModel, name: str) -> None:
    """Have a session work until the test releases it."""
    async with connected(record.endpoint) as client:
        session = await client.session_create(str(project))
        prompt = script(step(text("Begun."), hold(name)))
        await client.submit_prompt(session.id, str(project), PromptSubmission(message_id=new_message_id(), text=prompt))
    await model.reached(name)


@pytest.mark.skipif(sys.platform == "win32", reason="this host speaks POSIX")
async def test_a_host_that_kills_its_bridges_whole_tree_does_not_reach_the_run_of_another_bridge(
    settings: Settings, state: StateFiles, bridge: Bridge, project: Path, tmp_path: Path, scripted_model: ScriptedModel
) -> None:
    with bridge() as first:
        pid = int(await_line(first, tmp_path / "bridge.log", LOCATED, seconds=START))
        async with aclosing(Launcher(settings)) as second:
            assert (await second.locate()).pid == pid
            await start_held_run(record_of(state), project, scripted_model, "tree")
            tree = {first.pid, *descendants(first.pid)}
            assert pid not in tree
            for member in tree:
                with suppress(ProcessLookupError):
                    os.kill(member, signal.SIGKILL)
            first.wait(20)
            record = record_of(state)

            async def busy() -> bool:
                return await is_busy(record.endpoint, since=record.started)

            assert await eventually(busy)
            await scripted_model.release("tree")

            async def idle() -> bool:
                return not await busy()

            await eventually(idle)
            await check(record.endpoint, timeouts=[20])


async def test_a_busy_server_without_any_bridge_is_ended_after_the_operators_time(
    settings: Settings,
    state: StateFiles,
    project: Path,
    scripted_model: ScriptedModel,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with aclosing(Launcher(replace(settings, stop_after=1))) as launcher:
        await launcher.locate()
        record = record_of(state)
        await start_held_run(record, project, scripted_model, "forgotten")
    assert "--stop-after" in caplog.text
    await ended(record.process)

    async def forgotten() -> bool:
        return state.read_record() is None

    await eventually(forgotten)


async def kill_guard(record: ServerRecord, state: StateFiles) -> None:
    """Kill it, and wait until its lock is free."""
    os.kill(guard_of(record.process), signal.SIGKILL)

    async def free() -> bool:
        lock = try_lock(state.guard)
        if lock:
            lock.release()
        return lock is not None

    await eventually(free)
    assert await record.process.runs()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells who started a process")
@pytest.mark.parametrize("who", ["the last bridge", "the next bridge"])
async def test_where_a_guard_was_killed_a_bridge_has_another_one_end_the_server(
    settings: Settings, state: StateFiles, project: Path, scripted_model: ScriptedModel, who: str
) -> None:
    short = replace(settings, stop_after=1)
    async with aclosing(Launcher(settings)) as first:
        await first.locate()
        record = record_of(state)
        await start_held_run(record, project, scripted_model, f"guard killed: {who}")
        await kill_guard(record, state)
        if who == "the next bridge":
            async with aclosing(Launcher(short)) as second:
                assert (await second.locate()).pid == record.process.pid

            async def guarded() -> bool:
                lock = try_lock(state.guard)
                if lock:
                    lock.release()
                return lock is None

            await eventually(guarded)
            assert await record.process.runs()
        else:
            first._settings = short  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    await ended(record.process)


async def test_the_guard_runs_a_command_before_it_ends_a_server_and_closes_its_input(
    state: StateFiles, tmp_path: Path
) -> None:
    state.prepare()
    events = tmp_path / "events"
    log = f"import sys; print(sys.argv[1], file=open({str(events)!r}, 'a'))"
    server = f"import sys; sys.stdin.read(); sys.argv[1:] = ['ended with its input']; {log}"
    plan = Plan(
        command=[sys.executable, "-c", server],
        environment={},
        directory=str(tmp_path),
        lock=str(state.lock),
        leases=str(state.leases),
        record=str(state.record),
        mark=("MARK", "of this test"),
        stop_after=0.2,
        guard=str(state.guard),
        hold_input=True,
        before_end=[sys.executable, "-c", log, "asked before"],
    )
    async with aclosing(GuardedServer(state)) as guarded:
        await guarded.open(plan)
        process = await guarded.process()
        await guarded.keep()
        await ended(process)
    assert events.read_text(encoding="utf-8").splitlines() == ["asked before", "ended with its input"]


async def test_an_unresponsive_server_that_another_bridge_uses_is_not_ended(
    settings: Settings, state: StateFiles, bridge: Bridge, tmp_path: Path
) -> None:
    with bridge() as other:
        pid = int(await_line(other, tmp_path / "bridge.log", LOCATED, seconds=START))
        record = record_of(state)
        state.write_record(replace(record, started=record.started - 60))
        os.kill(pid, signal.SIGSTOP)
        async with aclosing(Launcher(settings, answer_timeout=1)) as launcher:
            with pytest.raises(BackendTimeout, match=f"end process {pid}"):
                await launcher.locate()
        assert await record.process.runs()
        os.kill(pid, signal.SIGCONT)
        await check(record.endpoint, timeouts=[20])


async def test_a_bridge_inside_a_started_opencode_may_not_pass_work_on_unless_the_operator_allows_it(
    settings: Settings, state: StateFiles
) -> None:
    inside = replace(settings, depth=1, inside=str(state.directory))
    async with aclosing(Launcher(settings)) as outer:
        endpoint = await outer.locate()
        with pytest.raises(NotAllowed, match="--max-depth"):
            await Launcher(inside).locate()
        nested = Launcher(replace(inside, max_depth=2))
        assert await nested.locate() == endpoint
        assert len(list(state.leases.iterdir())) == 1
        await nested.aclose()
        await check(endpoint, timeouts=[20])
    assert endpoint.process
    await ended(endpoint.process)


async def test_servers_are_shared_only_where_the_environment_means_the_same(settings: Settings) -> None:
    def with_variable(name: str, value: str) -> Path:
        return files_for(replace(settings, environment={**settings.environment, name: value}), 1).directory

    same = files_for(settings, 1).directory
    assert with_variable("TERM", "dumb") == same
    assert with_variable("OPENCODE_MCP_WAIT", "5") == same
    others = {with_variable("ANTHROPIC_API_KEY", key) for key in ("one", "two")} | {with_variable("HOME", "/elsewhere")}
    assert len(others - {same}) == 3
    assert "one" not in str(others)


async def test_of_opencode_2_there_is_one_server_for_each_data_folder_and_it_can_run_beside_an_opencode_1(
    settings: Settings,
) -> None:
    def with_variable(name: str, value: str) -> Path:
        return files_for(replace(settings, environment={**settings.environment, name: value}), 2).directory

    same = files_for(settings, 2).directory
    assert same != files_for(settings, 1).directory
    assert with_variable("ANTHROPIC_API_KEY", "one") == same
    assert with_variable("OPENCODE_CONFIG_CONTENT", "{}") == same
    assert with_variable("XDG_DATA_HOME", f"{settings.environment['XDG_DATA_HOME']}/../data") == same
    others = {with_variable("XDG_DATA_HOME", "/elsewhere"), with_variable("OPENCODE_DB", "/elsewhere/x.db")}
    assert len(others | {same}) == 3


# Nothing is started that cannot be recorded, and nothing stays that was not


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    """An OpenCode that starts and says nothing."""
    path = tmp_path / "opencode"
    path.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(600)\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no files of a process")
async def test_a_record_that_cannot_be_written_starts_nothing(
    settings: Settings, state: StateFiles, fake: Path
) -> None:
    import resource

    state.prepare()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # As on a full disk: no file can grow.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(InvalidSetting, match=r"server\.json.*File too large"):
            await Starter(settings, state).start(Executable(fake, 1), timeout=5)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not state.output.exists()


async def test_a_server_whose_process_cannot_be_recorded_does_not_stay(
    settings: Settings, state: StateFiles, fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.prepare()
    started: list[Process] = []
    write = StateFiles.write_record

    def fail_later(files: StateFiles, record: ServerRecord) -> None:
        if record.process.pid:
            started.append(record.process)
            raise InvalidSetting("No space left on device.")
        write(files, record)

    monkeypatch.setattr(StateFiles, "write_record", fail_later)
    with pytest.raises(InvalidSetting, match="No space left"):
        await Starter(settings, state).start(Executable(fake, 1), timeout=20)
    await ended(started[0])
    assert state.read_record() is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows runs no scripts by their first line")
async def test_a_wrapper_that_goes_to_the_background_leaves_nothing_behind(
    settings: Settings, state: StateFiles, tmp_path: Path
) -> None:
    state.prepare()
    left = tmp_path / "left"
    code = f"import os, time; open({str(left)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    wrapper = tmp_path / "opencode"
    lines = ("import subprocess, sys", f"subprocess.Popen([sys.executable, '-c', {code!r}], start_new_session=True)")
    wait = f"import os, time\nwhile not os.path.exists({str(left)!r}): time.sleep(0.02)"
    wrapper.write_text("\n".join((f"#!{sys.executable}", *lines, wait)), encoding="utf-8")
    wrapper.chmod(0o755)
    with pytest.raises(OpenCodeNotStarting, match="exit code 0"):
        await Starter(settings, state).start(Executable(wrapper, 1), timeout=30)

    async def nobody() -> bool:
        return born(int(left.read_text(encoding="utf-8") or 0)) == ""

    await eventually(nobody)


ORDERS = [("guard", "bridge", "server"), ("server", "bridge", "guard")]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells who started a process")
@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
async def test_in_whatever_order_they_are_killed_the_next_two_bridges_share_one_server_and_leave_nothing(
    settings: Settings, state: StateFiles, bridge: Bridge, tmp_path: Path, order: tuple[str, ...]
) -> None:
    with bridge() as first:
        await_line(first, tmp_path / "bridge.log", LOCATED, seconds=START)
        before = record_of(state)
        pids = {"guard": guard_of(before.process), "bridge": first.pid, "server": before.process.pid}
        for name in order:
            with suppress(ProcessLookupError):
                # Where OpenCode has ended, its guard ends by itself.
                os.kill(pids[name], signal.SIGKILL)
        first.wait(20)
        await ended(before.process)
    launchers = [Launcher(settings), Launcher(settings)]
    endpoints: list[Endpoint] = []

    async def locate(launcher: Launcher) -> None:
        endpoints.append(await launcher.locate())

    async with anyio.create_task_group() as tasks:
        for launcher in launchers:
            tasks.start_soon(locate, launcher)
    assert endpoints[0] == endpoints[1]
    after = record_of(state)
    guard = guard_of(after.process)
    assert after.process.pid != before.process.pid
    for launcher in launchers:
        await launcher.aclose()
    await ended(after.process)
    await ended(Process(guard, born(guard)))
    assert state.read_record() is None
