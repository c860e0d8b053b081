"""Which branch is checked out, by git's own file: OpenCode 1.18 looks once, when it starts in a project."""

import os
import stat
from pathlib import Path

import anyio
from anyio import to_thread

from opencode_mcp.disk.confined import FILE

BRANCH = "ref: refs/heads/"
ELSEWHERE = "gitdir: "
LONGEST = 8192
"""Bytes that are read of git's files, which hold one path or the name of one branch."""


async def checked_out(directory: str) -> str:
    """The branch of the repository that a directory of this machine is in; empty where there is none, or no branch."""
    place = await anyio.Path(directory).absolute()
    for folder in (place, *place.parents):
        dot_git = folder / ".git"
        if await dot_git.exists():
            return await _branch_of(dot_git)
    return ""


async def _branch_of(dot_git: anyio.Path) -> str:
    try:
        if await dot_git.is_file():
            # A worktree keeps its state where its file says.
            told = await to_thread.run_sync(_beginning, Path(dot_git))
            dot_git = dot_git.parent / told.removeprefix(ELSEWHERE)
        head = await to_thread.run_sync(_beginning, Path(dot_git / "HEAD"))
    except (OSError, ValueError):
        # A path may hold a NUL, and a file may not be text.
        return ""
    return head.removeprefix(BRANCH) if head.startswith(BRANCH) else ""


def _beginning(path: Path) -> str:
    """The beginning of a regular file; whoever made the repository may have put a pipe or a huge file there."""
    descriptor = os.open(path, FILE)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        return os.read(descriptor, LONGEST).decode().strip()
    finally:
        os.close(descriptor)
