"""Processes are distinguished, started in groups of their own, and ended whole."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import anyio
import pytest

from opencode_mcp.processes.ending import end
from opencode_mcp.processes.identity import Process
from opencode_mcp.processes.process_table import born, processor_seconds
from tests.harness.waiting import eventually

pytestmark = pytest.mark.anyio
SLEEP = "import time; time.sleep(600)"
IGNORING = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); {SLEEP}"
PARENT = (
    f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {IGNORING!r}]).pid, flush=True); {SLEEP}"
)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output"


def start(code: str, output: Path) -> subprocess.Popen[bytes]:
    with output.open("wb") as file:
        command = [sys.executable, "-c", code]
        child = subprocess.Popen(command, stdout=file, stderr=file, start_new_session=sys.platform != "win32")  # noqa: S603
    # Its parent must wait for it, or it stays as a zombie.
    Thread(target=child.wait, daemon=True).start()
    return child


@pytest.fixture
def sleeper(output: Path) -> Iterator[subprocess.Popen[bytes]]:
    child = start(SLEEP, output)
    yield child
    child.kill()


async def printed(output: Path) -> str:
    async def look() -> str:
        return await anyio.Path(output).read_text(encoding="utf-8")

    return await eventually(look)


async def test_a_birth_stays_the_same_and_ends_with_the_process(sleeper: subprocess.Popen[bytes]) -> None:
    first = born(sleeper.pid)
    assert first
    assert born(sleeper.pid) == first
    sleeper.kill()
    sleeper.wait(10)
    assert born(sleeper.pid) == ""


def test_a_zombie_is_not_running() -> None:
    with subprocess.Popen([sys.executable, "-c", "print()"], stdout=subprocess.PIPE) as child:
        assert child.stdout
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert born(child.pid) == ""


async def test_a_process_leads_a_group_of_its_own(sleeper: subprocess.Popen[bytes]) -> None:
    assert os.getpgid(sleeper.pid) == sleeper.pid


async def test_a_process_that_was_born_at_another_time_is_left_alone(sleeper: subprocess.Popen[bytes]) -> None:
    later = Process(sleeper.pid, "another birth")
    assert not await later.runs()
    await end(later, grace=1)
    assert sleeper.returncode is None


async def test_an_ended_process_is_waited_for_so_that_no_zombie_stays(sleeper: subprocess.Popen[bytes]) -> None:
    await end(Process(sleeper.pid, born(sleeper.pid)), grace=10)

    async def waited_for() -> bool:
        return sleeper.returncode is not None

    assert await eventually(waited_for)


async def test_a_process_that_does_not_listen_is_killed(output: Path) -> None:
    child = start(IGNORING, output)
    await printed(output)
    process = Process(child.pid, born(child.pid))
    await end(process, grace=0.2)
    assert not await process.runs()


async def test_what_the_leader_started_ends_with_it(output: Path) -> None:
    leader = start(PARENT, output)
    follower = int((await printed(output)).split()[0])
    process = Process(follower, born(follower))
    await end(Process(leader.pid, born(leader.pid)), grace=5)

    async def gone() -> bool:
        return not await process.runs()

    await eventually(gone)


def test_the_processor_time_of_a_process_grows_while_it_computes() -> None:
    before = processor_seconds(os.getpid())
    while processor_seconds(os.getpid()) == before:
        sum(range(10_000))
    assert processor_seconds(0) == 0
