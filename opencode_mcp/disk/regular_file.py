"""Read the beginning of a file that others may have made: never a pipe or a device, never more than requested."""

import os
import stat
from pathlib import Path

from opencode_mcp.disk.confined import FILE

FOLLOWING = FILE & ~getattr(os, "O_NOFOLLOW", 0)


def read_beginning(path: Path, most: int, *, follow: bool = False) -> bytes:
    """Return the first bytes of a regular file; empty for anything else.

    Args:
        path: The file.
        most: Most bytes to read.
        follow: True if the path may be a link.

    Raises:
        OSError: It cannot be opened or read.
        ValueError: The path contains a NUL.
    """
    descriptor = os.open(path, FOLLOWING if follow else FILE)
    try:
        return os.read(descriptor, most) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    finally:
        os.close(descriptor)
