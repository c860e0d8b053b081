"""Bridges take turns, and know of each other for as long as they live."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from opencode_mcp.disk.bridge_locks import Lease, hold

pytestmark = pytest.mark.anyio
HOLDER = """
import sys
from pathlib import Path
from opencode_mcp.disk.bridge_locks import Lease
lease = Lease(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds a lease."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdout
        process.stdout.readline()
        yield process
        process.kill()


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_a_lock_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    async with hold(tmp_path / "lock", timeout=1) as first, hold(tmp_path / "lock", timeout=0.1) as second:
        assert (first, second) == (True, False)
    async with hold(tmp_path / "lock", timeout=1) as third:
        assert third


async def test_who_waits_for_a_lock_gets_it_when_it_is_free_and_holds_up_nobody(tmp_path: Path) -> None:
    order: list[str] = []

    async def wait() -> None:
        async with hold(tmp_path / "lock", timeout=20) as held:
            order.append(f"held: {held}")

    async with anyio.create_task_group() as tasks, hold(tmp_path / "lock", timeout=1):
        tasks.start_soon(wait)
        await anyio.sleep(0.2)
        order.append("free")
    assert order == ["free", "held: True"]


async def test_a_lone_bridge_sees_no_other(tmp_path: Path) -> None:
    lease = Lease(tmp_path)
    assert not lease.others_live()
    lease.release()
    assert names(tmp_path) == []


async def test_another_bridge_is_seen_while_it_lives(tmp_path: Path, holder: subprocess.Popen[bytes]) -> None:
    lease = Lease(tmp_path)
    assert lease.others_live()
    holder.kill()
    holder.wait(10)
    assert not lease.others_live()
    lease.release()
    assert names(tmp_path) == []


async def test_two_bridges_in_one_process_see_each_other(tmp_path: Path) -> None:
    first, second = Lease(tmp_path), Lease(tmp_path)
    assert first.others_live()
    assert second.others_live()
    second.release()
    assert not first.others_live()
    first.release()
