"""Processes that a test starts and always ends, with what they print kept in a file.

They are plain ``subprocess`` ones, so that a fixture for the whole run is bound to no event loop.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

GRACE = 5.0
"""Seconds that a process has to end after a signal."""


UNTIL_PARENT_ENDS = """
import ctypes, os, signal, sys
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):  # else it has ended already, and no signal comes
    os.execvp(sys.argv[2], sys.argv[2:])
"""
"""Becomes another program, which the kernel kills when its parent ends: a killed test run leaves nothing behind."""


class NotReady(Exception):
    """A process ended, or did not do what it was awaited for; the text carries what it printed."""


@contextmanager
def spawned(
    command: Sequence[str], *, environment: Mapping[str, str], log: Path, directory: Path | None = None
) -> Generator[subprocess.Popen[bytes]]:
    """Run a command in a process group of its own, with stdout and stderr going to ``log``."""
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - the command is the test's own
            [*guarded(), *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=dict(environment),
            cwd=directory,
            start_new_session=sys.platform != "win32",
        )
    try:
        yield process
    finally:
        end(process)


def guarded() -> list[str]:
    """Return the beginning of a command line that ends with the test run, where the system can do that."""
    return [sys.executable, "-I", "-S", "-c", UNTIL_PARENT_ENDS, str(os.getpid())] if sys.platform == "linux" else []


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it started, politely first."""
    _signal(process, signal.SIGTERM)
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        kill(process)
    if process.stdin:
        with suppress(OSError):
            process.stdin.close()


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process at once, as a crash would."""
    if sys.platform == "win32":
        process.kill()
    else:
        _signal(process, signal.SIGKILL)
    process.wait(GRACE)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if sys.platform == "win32":
        process.terminate()
        return
    # It leads its own group, so this reaches its children and nobody else.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def await_line(process: subprocess.Popen[bytes], log: Path, start: str, *, seconds: float) -> str:
    """Wait until the process has printed a line that begins with ``start``, and return the line's rest.

    Raises:
        NotReady: The process ended first, or the time is over.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        printed = log.read_text(encoding="utf-8", errors="replace")
        for line in printed.splitlines():
            if line.startswith(start):
                return line.removeprefix(start).strip()
        if process.poll() is not None:
            raise NotReady(f"The process ended with {process.returncode}:\n{printed}")
        time.sleep(0.02)
    raise NotReady(f"No line {start!r} after {seconds} s:\n{log.read_text(encoding='utf-8', errors='replace')}")
