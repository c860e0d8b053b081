"""Files that a command changes or leaves behind in the folder of a run, as git's status shows them.

Files that git ignores do not count. A file that the command adds in an isolated worktree is no part of the work, so its
path goes into the record of the worktree with its size and time: as long as it stays as it is, nobody brings it back.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from opencode_mcp.errors import BridgeError, InvalidArgument
from opencode_mcp.isolation.repository.status import STATUS
from opencode_mcp.text.outside_text import shorten

if TYPE_CHECKING:
    from opencode_mcp.isolation.records import Worktree
    from opencode_mcp.isolation.repository.git import Git
    from opencode_mcp.isolation.worktrees import Worktrees

MOST_NAMED = 50
PATH_CHARACTERS = 200
"""Characters of a path in the result: that is kept in the metadata of the session."""
ADDED = frozenset({"??", "A "})
"""Codes of files that git does not know, or only since they were staged."""


@dataclass(frozen=True, slots=True)
class FileState:
    """State of a file that differs from the last commit."""

    code: str
    """Git's two letters."""
    mark: tuple[int, ...]
    """Size and time of the last change in nanoseconds; empty if it does not exist."""


States = Mapping[str, FileState]
"""Files that differ from the last commit, by path."""


class LeftFiles:
    """Compares the files of one run's directory before and after a command.

    Args:
        worktrees: Knows the isolated worktrees, and git.
    """

    def __init__(self, worktrees: "Worktrees") -> None:
        self._worktrees = worktrees
        self._before: States | None = None
        """``None`` if the directory is in no git repository."""

    async def begin(self, directory: str) -> None:
        """Read the files before the command.

        Raises:
            InvalidArgument: The directory of an isolated run does not lead to its worktree any more.
            NotFound: The worktree was removed.
            GitFailed: Git cannot read the worktree.
        """
        if self._worktrees.records.names(directory):
            await to_thread.run_sync(self._check_own, directory)
            self._before = await _states(await self._git(directory))
            return
        try:
            self._before = await _states(await self._git(directory))
        except BridgeError:
            self._before = None

    async def end(self, directory: str) -> tuple[str, ...]:
        """Return what the command has changed or left behind, and record what it has added in a worktree."""
        if self._before is None:
            return ()
        try:
            after = await _states(await self._git(directory))
            before = await self._record(directory, self._before, after)
        except BridgeError:
            return ()
        changed = [path for path in sorted(before.keys() | after.keys()) if before.get(path) != after.get(path)]
        return tuple(_described(path, before.get(path), after.get(path)) for path in changed[:MOST_NAMED])

    async def _record(self, directory: str, before: States, after: States) -> States:
        """Record the files of a worktree that are no part of the work; return the files before without those."""
        worktree = await to_thread.run_sync(self._worktree_of, directory)
        if worktree is None:
            return before
        async with self._worktrees.alone(worktree) as now:
            known = {path for path, mark in now.left.items() if path in before and before[path].mark == tuple(mark)}
            added = {path for path, state in after.items() if state.code in ADDED and path not in before}
            left = {path: [*after[path].mark] for path in sorted(known | added) if path in after}
            await self._worktrees.note_left(now, left)
        return {path: state for path, state in before.items() if path not in known}

    async def _git(self, directory: str) -> "Git":
        return await self._worktrees.git_in(directory)

    def _worktree_of(self, directory: str) -> "Worktree | None":
        return self._worktrees.records.holding(Path(os.path.realpath(directory)))

    def _check_own(self, directory: str) -> None:
        if self._worktrees.records.of_directory(Path(os.path.realpath(directory))) is None:
            raise InvalidArgument("The worktree of the run was moved, or replaced by a link.")


def left_paths(worktree: "Worktree") -> list[str]:
    """Return the files that a command has added in a worktree, as far as they are as it left them."""
    top = Path(worktree.folder)
    return [path for path, mark in worktree.left.items() if mark and mark_of(top / path) == tuple(mark)]


def mark_of(path: Path) -> tuple[int, ...]:
    """Return the size of a file and the time of its last change in nanoseconds; nothing if it does not exist."""
    try:
        found = path.lstat()
    except OSError:
        return ()
    return (found.st_size, found.st_mtime_ns)


async def _states(git: "Git") -> States:
    """Return the state of each file that differs from the last commit, by its path below git's folder."""
    entries = await git.paths(*STATUS)
    return await to_thread.run_sync(_marked, git.work_tree, entries)


def _marked(top: Path, entries: list[str]) -> States:
    return {entry[3:]: FileState(entry[:2], mark_of(top / entry[3:])) for entry in entries}


def _described(path: str, before: FileState | None, after: FileState | None) -> str:
    """Return a change as a verb and a path."""
    if after is None:
        verb = "restored" if before and before.code not in ADDED else "deleted"
    elif not after.mark:
        verb = "deleted"
    else:
        verb = "added" if before is None and after.code in ADDED else "changed"
    return f"{verb} {shorten(path, PATH_CHARACTERS)}"
