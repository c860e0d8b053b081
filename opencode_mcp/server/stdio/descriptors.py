"""The process's own stdin and stdout as descriptors, taken for MCP alone. It imports nothing slow."""

import os
import select
import sys

STDIN, STDOUT, STDERR = range(3)
CHUNK = 64 * 1024
"""Bytes that are read at once."""
ROOM = 512 if sys.platform == "win32" else select.PIPE_BUF
"""Bytes that never block where anything has room."""


def claim_descriptors() -> tuple[int, int]:
    """Take stdin and stdout, and return the descriptors that now lead to the host.

    From then on, reading stdin finds its end, and printing to stdout prints to stderr: a stray line would break the
    protocol, and a child must not take the host's messages.
    """
    source, target = os.dup(STDIN), os.dup(STDOUT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, STDIN)
    os.close(nothing)
    os.dup2(STDERR, STDOUT)
    return source, target


def has_room(descriptor: int) -> bool:
    """Return whether ``ROOM`` bytes can be written without blocking."""
    return bool(select.select([], [descriptor], [], 0)[1])
