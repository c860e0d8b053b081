"""A program gets a text on its standard input, and may end without reading it."""

import os
import sys
from functools import partial
from pathlib import Path
from subprocess import DEVNULL

import anyio
import pytest

from opencode_mcp.processes.fed_program import run_fed
from tests.harness.waiting import eventually

pytestmark = pytest.mark.anyio
LARGE = b"x" * (1 << 20)
"""More than a pipe holds."""


def python(line: str) -> list[str]:
    return [sys.executable, "-I", "-c", line]


async def has_written(file: Path) -> bool:
    """Return True if a program has written a line, as far as the dot."""
    return file.exists() and file.read_text().endswith(".")  # noqa: ASYNC240 - a small file


async def test_it_gets_all_of_the_text_and_what_it_prints_comes_back() -> None:
    line = "import sys; data = sys.stdin.read(); print(len(data)); print('complaint', file=sys.stderr); sys.exit(3)"
    done = await run_fed(python(line), LARGE)
    assert (done.returncode, done.stdout.split(), done.stderr.split()) == (3, [b"1048576"], [b"complaint"])
    assert (await run_fed(python("import sys; print(sys.stdin.read())"), b"")).stdout.strip() == b""


async def test_what_a_program_prints_comes_back_if_it_ends_without_reading() -> None:
    line = "import os, sys; os.close(0); print('too early', file=sys.stderr); sys.exit(128)"
    done = await run_fed(python(line), LARGE)
    assert (done.returncode, done.stderr.split()) == (128, [b"too", b"early"])


async def test_a_program_whose_outputs_are_not_wanted_is_waited_for_alone() -> None:
    done = await run_fed(python("print('unseen')"), b"text", outputs=DEVNULL)
    assert (done.returncode, done.stdout) == (0, b"")


async def test_a_cancelled_program_is_ended(tmp_path: Path) -> None:
    started = tmp_path / "pid"
    line = f"import os, time; open({str(started)!r}, 'w').write(f'{{os.getpid()}}.'); time.sleep(600)"
    async with anyio.create_task_group() as group:
        group.start_soon(run_fed, python(line), LARGE)
        await eventually(partial(has_written, started))
        group.cancel_scope.cancel()
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()[:-1]), 0)
