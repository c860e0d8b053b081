"""A process that a test run started does not outlive it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.harness.processes.isolation import ROOT

RUN = """
import sys, time
from pathlib import Path
from tests.harness.processes.process import spawned
with spawned([sys.executable, "-c", "import time; time.sleep(600)"], environment={}, log=Path(sys.argv[1])) as child:
    print(child.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such guard")
def test_a_process_of_a_killed_test_run_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RUN, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as run:  # noqa: S603
        assert run.stdout
        child = int(run.stdout.readline())
        run.kill()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{child}").exists() and "Z" not in Path(f"/proc/{child}/stat").read_text(encoding="utf-8"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
