"""Reads the beginning of a file that others may have made: never a pipe or a device, never more than is wanted."""

import os
import stat
from pathlib import Path

from opencode_mcp.disk.confined import FILE

FOLLOWING = FILE & ~getattr(os, "O_NOFOLLOW", 0)


def read_beginning(path: Path, most: int, *, follow: bool = False) -> bytes:
    """The first bytes of a regular file; nothing of what is no regular file.

    Args:
        path: The file.
        most: Bytes.
        follow: Whether the path may be a link.

    Raises:
        OSError: It cannot be opened or read.
        ValueError: The path is none, since it holds a NUL.
    """
    descriptor = os.open(path, FOLLOWING if follow else FILE)
    try:
        return os.read(descriptor, most) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    finally:
        os.close(descriptor)
