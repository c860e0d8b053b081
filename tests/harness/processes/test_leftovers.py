"""No process of a test run outlives it, whether it is interrupted or killed."""

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.harness.processes.isolation import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems hide the environment of a process")

CHILD = """
import subprocess, sys, time
from tests.harness.processes.isolation import basics
# A process that no exit of its parent reaches, as a server that a bridge has started.
child = [sys.executable, "-c", "import time; time.sleep(600)"]
print("child", subprocess.Popen(child, env=basics(), start_new_session=True).pid, flush=True)
time.sleep(600)
"""
PROGRAM = f"""
from tests.harness.processes.leftovers import leftovers_ended
with leftovers_ended():
{textwrap.indent(CHILD, "    ")}
"""
TEST = f"""
def test_it():
{textwrap.indent(CHILD, "    ")}
"""
SECONDS = 60.0


def runs(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def check_that_nothing_is_left(command: list[str], ending: signal.Signals) -> None:
    """Run a command until its child runs, end it, and wait for the child to be gone."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:  # noqa: S603
        assert run.stdout
        child = next(int(line.split()[1]) for line in run.stdout if line.startswith("child"))
        run.send_signal(ending)
    assert run.returncode != 0
    deadline = time.monotonic() + SECONDS
    while runs(child):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_its_block(ending: signal.Signals) -> None:
    check_that_nothing_is_left([sys.executable, "-c", PROGRAM], ending)


def test_no_process_outlives_an_interrupted_test_run(tmp_path: Path) -> None:
    case = tmp_path / "test_case.py"
    case.write_text(TEST, encoding="utf-8")
    alone = ["-p", "no:cacheprovider", "-p", "tests.conftest", "-s", "-q"]
    check_that_nothing_is_left([sys.executable, "-m", "pytest", *alone, str(case)], signal.SIGINT)
