"""Branch that is checked out, and the time of the last commit there, from git's own files.

OpenCode 1.18 reads the branch only when it starts in a project, and tells no times.
"""

import os
import re
import stat
from pathlib import Path

import anyio
from anyio import to_thread

from opencode_mcp.disk.confined import FILE

BRANCH = "ref: refs/heads/"
GITDIR = "gitdir: "
FILE_BYTES = 8192
"""Bytes that are read of git's files: the beginning of those with one path or one name, the end of a log."""
LOGGED_COMMIT = re.compile(rb"> (\d{1,12}) [+-]\d{4}\tcommit")
"""Line of git's log of a branch for a commit of the working tree, with its time; not for a pull or a checkout."""


async def checked_out(directory: str) -> str:
    """Return the current branch of the repository of a directory on this machine; empty if there is none."""
    try:
        state = await _state_folder(directory)
        head = (await _read(state / "HEAD")).decode().strip() if state else ""
    except (OSError, ValueError):
        # The path may contain a NUL, and the file may not be text.
        return ""
    return head.removeprefix(BRANCH) if head.startswith(BRANCH) else ""


async def last_commit(directory: str) -> float:
    """Return when the working tree of a directory on this machine was last committed; 0 if that is not known.

    The time is in milliseconds since the epoch.
    """
    try:
        state = await _state_folder(directory)
        logged = LOGGED_COMMIT.findall(await _read(state / "logs" / "HEAD", from_end=True)) if state else []
    except (OSError, ValueError):
        return 0
    return float(logged[-1]) * 1000 if logged else 0


async def _state_folder(directory: str) -> anyio.Path | None:
    """Return the folder in which git keeps the state of the working tree of a directory; None if there is none."""
    place = await anyio.Path(directory).absolute()
    for folder in (place, *place.parents):
        dot_git = folder / ".git"
        if await dot_git.exists():
            return await _pointed_to(dot_git)
    return None


async def _pointed_to(dot_git: anyio.Path) -> anyio.Path:
    """Return the folder that a ``.git`` is, or that the file of a worktree names."""
    if not await dot_git.is_file():
        return dot_git
    pointer = (await _read(dot_git)).decode().strip()
    return dot_git.parent / pointer.removeprefix(GITDIR)


async def _read(path: anyio.Path, *, from_end: bool = False) -> bytes:
    return await to_thread.run_sync(_part, Path(path), from_end)


def _part(path: Path, from_end: bool) -> bytes:  # noqa: FBT001 - for a thread
    """Return a part of a regular file; a repository may contain a pipe or a huge file in its place."""
    descriptor = os.open(path, FILE)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return b""
        if from_end:
            os.lseek(descriptor, max(found.st_size - FILE_BYTES, 0), os.SEEK_SET)
        return os.read(descriptor, FILE_BYTES)
    finally:
        os.close(descriptor)
