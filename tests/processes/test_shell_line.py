"""A shell line has a time limit, and leaves no process; the end of its output is kept."""

import os
import sys
from contextlib import suppress
from pathlib import Path

import anyio
import pytest

from opencode_mcp.processes.command_supervisor import KEPT_BYTES
from opencode_mcp.processes.shell_line import ShellResult, run_shell_line
from tests.harness.waiting import eventually

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform == "win32", reason="the lines are POSIX's")]
ENVIRONMENT = {"PATH": os.environ["PATH"]}


async def ended(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return False
    return True


async def test_the_exit_code_and_the_end_of_all_output_come_back(tmp_path: Path) -> None:
    for line, code, output in (
        ("echo out; echo err >&2; exit 3", 3, "out\nerr"),
        ("kill -9 $$", 137, ""),
        ("test $PWD -ef . && echo here", 0, "here"),
    ):
        assert await run_shell_line(line, str(tmp_path), ENVIRONMENT, 30) == ShellResult(code, output)
    many = await run_shell_line("yes | head -c 10000000; printf end", str(tmp_path), ENVIRONMENT, 60)
    assert many.code == 0
    assert many.output.endswith("y\nend")
    assert len(many.output) <= KEPT_BYTES
    with pytest.raises(OSError, match="No such file"):
        await run_shell_line("true", str(tmp_path / "none"), ENVIRONMENT, 30)


async def test_a_line_that_takes_too_long_is_ended_with_what_it_started(tmp_path: Path) -> None:
    line = "echo begun; sleep 600 & echo $! > pid; wait"
    assert await run_shell_line(line, str(tmp_path), ENVIRONMENT, 1) == ShellResult(None, "begun")
    pid = int((tmp_path / "pid").read_text())
    assert await eventually(lambda: ended(pid))


async def test_what_a_line_leaves_running_is_ended_also_if_it_keeps_the_output_open(tmp_path: Path) -> None:
    line = "sleep 600 & echo $! > pid"
    assert await run_shell_line(line, str(tmp_path), ENVIRONMENT, 30) == ShellResult(0, "")
    pid = int((tmp_path / "pid").read_text())
    assert await eventually(lambda: ended(pid))


LEAVES = """
import os, pathlib, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        pathlib.Path("pid").write_text(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
while not pathlib.Path("pid").exists():
    time.sleep(0.01)
"""


async def test_what_has_left_the_group_of_a_line_is_ended_too(tmp_path: Path) -> None:
    (tmp_path / "leaves.py").write_text(LEAVES)
    line = f"{sys.executable} leaves.py; echo begun"
    assert await run_shell_line(line, str(tmp_path), ENVIRONMENT, 60) == ShellResult(0, "begun")
    pid = int((tmp_path / "pid").read_text())
    assert await eventually(lambda: ended(pid))


async def test_a_cancelled_line_is_ended(tmp_path: Path) -> None:
    pid = 0
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run_shell_line, "echo $$ > pid; sleep 600", str(tmp_path), ENVIRONMENT, 600)

        async def begun() -> str:
            path = anyio.Path(tmp_path / "pid")
            return (await path.read_text()).strip() if await path.exists() else ""

        pid = int(await eventually(begun))
        tasks.cancel_scope.cancel()
    assert await eventually(lambda: ended(pid))
