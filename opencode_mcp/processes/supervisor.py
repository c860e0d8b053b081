"""Process that runs one command, and ends it with all that it has started when its own parent is gone.

Its standard input is a pipe of the parent, which the system closes however the parent ends. The command leads a group
of processes; whatever is left of that group is ended as well when the command has ended. The module is executed by
``shell_line.py``; its arguments are the command.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from types import FrameType

from opencode_mcp.processes.groups import FLAGS, force_to_end

NOT_FOUND = 127
"""Exit code if the command cannot be started, as shells have it."""
BY_SIGNAL = 128
"""Exit code of a command that a signal has ended, less the number of the signal."""


def main() -> int:
    """Run the command and return its exit code."""
    try:
        command = subprocess.Popen(  # noqa: S603 - the parent's command
            sys.argv[1:],
            stdin=subprocess.DEVNULL,
            creationflags=FLAGS,
            start_new_session=sys.platform != "win32",
        )
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return NOT_FOUND

    def end_at_request(_number: int, _frame: FrameType | None) -> None:
        force_to_end(command.pid)

    signal.signal(signal.SIGTERM, end_at_request)
    threading.Thread(target=_end_without_parent, args=(command.pid,), daemon=True).start()
    code = command.wait()
    force_to_end(command.pid)
    return code if code >= 0 else BY_SIGNAL - code


def _end_without_parent(pid: int) -> None:
    """End the command when the pipe of the parent is closed."""
    # Not through a buffer: its lock would be held at the end of this process.
    with suppress(OSError):
        while os.read(0, 1):
            pass
    force_to_end(pid)


if __name__ == "__main__":
    sys.exit(main())
