"""Process that runs one command, and ends it with all that it has started when its own parent is gone.

Its standard input is a pipe of the parent, which the system closes however the parent ends. The command leads a group
of processes; whatever is left of that group is ended as well when the command has ended. So are the processes that have
left the group: they are known by the *mark*, a variable of their environment, which they inherit. Only a process that
also gives up its environment survives. At the end, the last part of what the command printed is written to standard
output: a command that prints without end fills no disk. The module is executed by ``shell_line.py``; its arguments are
the name of the mark, and the command.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from types import FrameType

from opencode_mcp.processes.ending import FLAGS, force_one_to_end, force_to_end
from opencode_mcp.processes.process_table import started_with

MARK_VALUE = "1"
MOST_ROUNDS = 20
"""Number of times that marked processes are looked for: one may start others while it is ended."""

NOT_FOUND = 127
"""Exit code if the command cannot be started, as shells have it."""
BY_SIGNAL = 128
"""Exit code of a command that a signal has ended, less the number of the signal."""
KEPT_BYTES = 65_536
"""Bytes of the end of the output that are kept."""
REST_SECONDS = 1.0
"""Time for the rest of the output after the end of the command: a process that has left the group may keep it open."""


class Tail:
    """End of what a command prints."""

    def __init__(self) -> None:
        self.kept = b""

    def read(self, descriptor: int) -> None:
        """Read until the output is closed."""
        with suppress(OSError):
            while part := os.read(descriptor, KEPT_BYTES):
                self.kept = (self.kept + part)[-KEPT_BYTES:]


def main() -> int:
    """Run the command, write the end of its output, and return its exit code."""
    mark, *line = sys.argv[1:]
    try:
        command = subprocess.Popen(  # noqa: S603 - the parent's command
            line,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            creationflags=FLAGS,
            start_new_session=sys.platform != "win32",
        )
    except OSError as error:
        os.write(1, str(error).encode(errors="replace"))
        return NOT_FOUND

    def end_at_request(_number: int, _frame: FrameType | None) -> None:
        force_to_end(command.pid)

    signal.signal(signal.SIGTERM, end_at_request)
    threading.Thread(target=_end_without_parent, args=(command.pid,), daemon=True).start()
    tail = Tail()
    descriptor = command.stdout.fileno() if command.stdout else 0
    reading = threading.Thread(target=tail.read, args=(descriptor,), daemon=True)
    reading.start()
    code = command.wait()
    force_to_end(command.pid)
    _end_marked(mark)
    reading.join(REST_SECONDS)
    _write(tail.kept)
    return code if code >= 0 else BY_SIGNAL - code


def _end_without_parent(pid: int) -> None:
    """End the command when the pipe of the parent is closed."""
    # Not through a buffer: its lock would be held at the end of this process.
    with suppress(OSError):
        while os.read(0, 1):
            pass
    force_to_end(pid)


def _end_marked(mark: str) -> None:
    """End all other processes with a mark."""
    for _ in range(MOST_ROUNDS):
        found = set(started_with(mark, MARK_VALUE)) - {os.getpid()}
        if not found:
            return
        for pid in found:
            force_one_to_end(pid)


def _write(output: bytes) -> None:
    """Write the output; a parent that is gone reads nothing."""
    with suppress(OSError):
        while output:
            output = output[os.write(1, output) :]


if __name__ == "__main__":
    # The threads may still read: nothing waits for them.
    code = main()
    sys.stderr.flush()
    os._exit(code)
