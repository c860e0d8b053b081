"""Lock that the programs started with it hold, too, so that it outlives the process that has taken it."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from opencode_mcp.disk.private_modes import PRIVATE_FILE


@contextmanager
def inherited_lock(path: Path) -> Generator[tuple[int, ...]]:
    """Hold the lock of a file for the length of the block; yield the file descriptors that a program has to inherit.

    Another process finds it taken, as by ``file_locks.py``, until the last of these programs has ended. On Windows
    there is no such lock, and the descriptors are none.
    """
    if sys.platform == "win32":
        yield ()
        return
    import fcntl  # noqa: PLC0415 - Windows does not have it

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        # Somebody else has it only if a program of an earlier block has not ended; this must not wait for that.
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield (descriptor,)
    finally:
        os.close(descriptor)
