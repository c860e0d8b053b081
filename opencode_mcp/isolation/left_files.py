"""Files that a command changes or leaves behind in the folder of a run, as git's status shows them.

Files that git ignores do not count. A file that the command adds in an isolated worktree is no part of the work, so its
path goes into the record of the worktree with its size and time: as long as it stays as it is, nobody brings it back.
The same holds for a committed file that a setup changes or deletes: the run has not begun then.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from opencode_mcp.errors import BridgeError, InvalidArgument
from opencode_mcp.isolation.file_states import as_data, changes, from_data, mark_of, read_state, staged_files

if TYPE_CHECKING:
    from opencode_mcp.isolation.file_states import FilesState, FileState, States
    from opencode_mcp.isolation.repository.git import Git
    from opencode_mcp.isolation.worktree_records import Worktree
    from opencode_mcp.isolation.worktrees import Worktrees

MOST_NAMED = 50
SHORT = 12
"""Letters of a commit's id that are shown."""


class LeftFiles:
    """Compares the files of one run's directory before and after a command.

    Args:
        worktrees: Knows the isolated worktrees, and git.
        key: Name of this verification. If the bridge dies in the middle of it, the next bridge compares with the files
            as they were before the first try.
        is_setup: Whether the command is the setup of a worktree, so that what it changes is no part of the work.
    """

    def __init__(self, worktrees: "Worktrees", key: str, *, is_setup: bool = False) -> None:
        self._worktrees = worktrees
        self._key = key
        self._is_setup = is_setup
        self._before: FilesState | None = None
        """``None`` if the directory is in no git repository."""

    async def begin(self, directory: str) -> None:
        """Read the files before the command, and record them in the record of an isolated worktree.

        Raises:
            InvalidArgument: The directory of an isolated run does not lead to its worktree any more.
            InvalidSetting: The record cannot be written.
            NotFound: The worktree was removed.
            GitFailed: Git cannot read the worktree.
            SessionBusy: Another call is at work on the worktree.
        """
        if self._worktrees.records.names(directory):
            await to_thread.run_sync(self._check_own, directory)
            self._before = await self._recorded(directory, await read_state(await self._git(directory)))
            return
        try:
            self._before = await read_state(await self._git(directory))
        except BridgeError:
            self._before = None

    async def _recorded(self, directory: str, before: "FilesState") -> "FilesState":
        """Record the state before; return the one on record if a try before this one was broken off."""
        worktree = await to_thread.run_sync(self._worktree_of, directory)
        if worktree is None:
            return before
        async with self._worktrees.alone(worktree) as now:
            noted = now.verifying
            if noted.get("key") == self._key and (earlier := from_data(noted)):
                return earlier
            await self._worktrees.note_verifying(now, {"key": self._key, **as_data(before)})
        return before

    async def end(self, directory: str) -> tuple[str, ...]:
        """Return what the command has changed or left behind, and record what it has added in a worktree."""
        if self._before is None:
            return ()
        try:
            git = await self._git(directory)
            after = await read_state(git, self._before.head)
            unstaged = await self._unstaged(git, self._before.head, after.files)
            before = await self._record(directory, self._before.files, unstaged)
        except (BridgeError, OSError):
            return ()
        moved = () if after.head == self._before.head else (f"moved HEAD to {after.head[:SHORT]}",)
        return (*moved, *changes(before, after.files)[:MOST_NAMED])

    async def _unstaged(self, git: "Git", head: str, after: "States") -> "States":
        """Return the files after the command, without those that are staged or committed by then: they are work."""
        if not head:
            return after
        staged = await staged_files(git, head)
        return {path: state for path, state in after.items() if path not in staged}

    async def _record(self, directory: str, before: "States", after: "States") -> "States":
        """Record the files of a worktree that are no part of the work; return the files before without those."""
        worktree = await to_thread.run_sync(self._worktree_of, directory)
        if worktree is None:
            return before
        async with self._worktrees.alone(worktree) as now:
            known = _still_left(now, before)
            left = (known & after.keys()) | self._made(before, after)
            await self._worktrees.note_left(now, {path: [*after[path].mark] for path in sorted(left)})
        return {path: state for path, state in before.items() if path not in known or not state.is_new}

    def _made(self, before: "States", after: "States") -> set[str]:
        """Return the files that differ since the command and are no part of the work."""
        return {path for path in after.keys() - before.keys() if self._is_apart(after[path])}

    def _is_apart(self, state: "FileState") -> bool:
        """Return True if a file that differs since the command is no part of the work."""
        return bool(state.mark) if state.is_new else self._is_setup

    async def _git(self, directory: str) -> "Git":
        return await self._worktrees.git_in(directory)

    def _worktree_of(self, directory: str) -> "Worktree | None":
        return self._worktrees.records.holding(Path(os.path.realpath(directory)))

    def _check_own(self, directory: str) -> None:
        records, place = self._worktrees.records, Path(os.path.realpath(directory))
        if records.leads_elsewhere(directory, place) or records.of_directory(place) is None:
            raise InvalidArgument("The worktree of the run was moved, or replaced by a link.")


def _still_left(worktree: "Worktree", states: "States") -> set[str]:
    """Return the files on record as left in a worktree that are in the same state as then."""
    marks = {path: tuple(mark) for path, mark in worktree.left.items()}
    return {path for path, mark in marks.items() if path in states and states[path].mark == mark}


def left_paths(worktree: "Worktree") -> list[str]:
    """Return the files of a worktree that are no part of the work, as far as they are as a command left them."""
    top = Path(worktree.folder)
    return [path for path, mark in worktree.left.items() if mark_of(top / path) == tuple(mark)]
