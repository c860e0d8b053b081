"""Ends whatever a test run leaves behind, however it ends: by itself, by Ctrl-C, or killed.

Every process of a test inherits a mark in its environment. A watcher process outside of the run's process group waits
until the run has ended, and then kills all that carry the mark. With several workers, each has a mark and a watcher.
Only Linux shows the environment of a process; elsewhere processes that a killed run leaves end by their own limits.
"""

import os
import secrets
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

from tests.harness.processes.isolation import MARK

WATCHER = """
import os, signal, sys, time
sys.stdin.read()
mark = sys.argv[1].encode()
def marked():
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                if mark in file.read().split(b"\\0"):
                    yield int(name)
        except OSError:
            pass
# What was being started while others were killed is found in the next round.
for _ in range(100):
    found = list(marked())
    if not found:
        break
    for pid in found:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    time.sleep(0.05)
"""


@contextmanager
def leftovers_ended() -> Generator[None]:
    """Have all processes with the mark ended after the block, also when this process is killed in it."""
    if sys.platform != "linux":
        yield
        return
    os.environ[MARK] = secrets.token_hex(8)
    watcher = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-I", "-S", "-c", WATCHER, f"{MARK}={os.environ[MARK]}"],
        stdin=subprocess.PIPE,
        env={},
        start_new_session=True,
    )
    with watcher:
        yield
