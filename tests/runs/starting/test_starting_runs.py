"""Runs that are being started: all bridges of a principal count them."""

import sys
from pathlib import Path

import anyio
import pytest

from opencode_mcp.runs.starting.starting_leases import StartingLeases
from opencode_mcp.runs.starting.starting_runs import StartingRuns

pytestmark = pytest.mark.anyio

HOLDER = """
import sys
from pathlib import Path
from opencode_mcp.runs.starting.starting_leases import StartingLease
lease = StartingLease(Path(sys.argv[1]))
lease.name_session("ses_other")
print("held", flush=True)
sys.stdin.read()
"""
"""Program that holds a lease until it is killed."""


async def sessions_of(runs: StartingRuns) -> list[str]:
    """The sessions of the runs that are being started."""
    async with runs.turn(shared=True):
        return await runs.sessions()


def files_in(folder: Path) -> list[str]:
    """The names of the files in a folder."""
    return [path.name for path in folder.iterdir()]


async def test_bridges_count_the_runs_that_the_others_are_starting(tmp_path: Path) -> None:
    here, there = StartingRuns(StartingLeases(tmp_path)), StartingRuns(StartingLeases(tmp_path))
    async with here.turn(shared=True):
        run = here.add(shared=True)
    assert await sessions_of(there) == [""]
    run.name_session("ses_1")
    assert await sessions_of(there) == await sessions_of(here) == ["ses_1"]
    here.remove(run)
    assert await sessions_of(there) == []
    assert files_in(tmp_path) == ["count.lock"]


async def test_bridges_that_start_at_the_same_moment_do_not_exceed_a_limit_together(tmp_path: Path) -> None:
    bridges = [StartingRuns(StartingLeases(tmp_path)) for _ in range(3)]
    started: list[StartingRuns] = []

    async def start_if_free(runs: StartingRuns) -> None:
        async with runs.turn(shared=True):
            if not await runs.sessions():
                await anyio.lowlevel.checkpoint()
                runs.add(shared=True)
                started.append(runs)

    async with anyio.create_task_group() as tasks:
        for runs in bridges:
            tasks.start_soon(start_if_free, runs)
    assert len(started) == 1


async def test_the_run_of_a_bridge_that_died_does_not_count(tmp_path: Path) -> None:
    here = StartingRuns(StartingLeases(tmp_path))
    async with await anyio.open_process([sys.executable, "-c", HOLDER, str(tmp_path)], stderr=None) as holder:
        assert holder.stdout
        assert (await holder.stdout.receive()).strip() == b"held"
        assert await sessions_of(here) == ["ses_other"]
        holder.kill()
    assert await sessions_of(here) == []
    assert files_in(tmp_path) == ["count.lock"]


async def test_a_folder_that_cannot_be_used_limits_this_process_alone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    here = StartingRuns(StartingLeases(tmp_path / "file"))
    async with here.turn(shared=True):
        run = here.add(shared=True)
    assert await sessions_of(here) == [""]
    here.remove(run)
