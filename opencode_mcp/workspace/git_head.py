"""Branch that is checked out, from git's own file: OpenCode 1.18 reads it only when it starts in a project."""

import os
import stat
from pathlib import Path

import anyio
from anyio import to_thread

from opencode_mcp.disk.confined import FILE

BRANCH = "ref: refs/heads/"
ELSEWHERE = "gitdir: "
FILE_BYTES = 8192
"""Bytes that are read of git's files, which contain one path or the name of one branch."""


async def checked_out(directory: str) -> str:
    """Return the current branch of the repository of a directory on this machine; empty if there is none."""
    place = await anyio.Path(directory).absolute()
    for folder in (place, *place.parents):
        dot_git = folder / ".git"
        if await dot_git.exists():
            return await _branch_of(dot_git)
    return ""


async def _branch_of(dot_git: anyio.Path) -> str:
    try:
        if await dot_git.is_file():
            # The `.git` file of a worktree contains the path of its state.
            pointer = await to_thread.run_sync(_beginning, Path(dot_git))
            dot_git = dot_git.parent / pointer.removeprefix(ELSEWHERE)
        head = await to_thread.run_sync(_beginning, Path(dot_git / "HEAD"))
    except (OSError, ValueError):
        # The path may contain a NUL, and the file may not be text.
        return ""
    return head.removeprefix(BRANCH) if head.startswith(BRANCH) else ""


def _beginning(path: Path) -> str:
    """Return the beginning of a regular file; a repository may contain a pipe or a huge file in its place."""
    descriptor = os.open(path, FILE)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        return os.read(descriptor, FILE_BYTES).decode().strip()
    finally:
        os.close(descriptor)
