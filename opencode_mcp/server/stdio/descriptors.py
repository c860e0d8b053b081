"""Reserve stdin and stdout of the process for MCP. This module imports nothing slow."""

import os
import select
import stat
import sys

STDIN, STDOUT, STDERR = range(3)
CHUNK = 64 * 1024
"""Bytes of one read."""
ROOM = 512 if sys.platform == "win32" else select.PIPE_BUF
"""Bytes whose write never blocks if the descriptor is writable."""


def claim_descriptors() -> tuple[int, int]:
    """Take stdin and stdout, and return the descriptors that now lead to the host.

    From then on, stdin is empty and output to stdout goes to stderr: a stray line would break the protocol, and a child
    must not read the host's messages.
    """
    source, target = os.dup(STDIN), os.dup(STDOUT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, STDIN)
    os.close(nothing)
    os.dup2(STDERR, STDOUT)
    return source, target


def has_room(descriptor: int) -> bool:
    """Return True if ``ROOM`` bytes can be written without blocking."""
    return bool(select.select([], [descriptor], [], 0)[1])


def can_wait(descriptor: int) -> bool:
    """Return True if an event loop can wait for a descriptor: it refuses files and devices, which are always ready."""
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)
