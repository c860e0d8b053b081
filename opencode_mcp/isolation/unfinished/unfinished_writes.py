"""Changes of the files of a person's checkout, by ``apply`` and ``undo``, that were begun and perhaps not finished.

Git removes each old file before it writes the new one. If it is killed on the way, the checkout has a part of the
changes, and a file may be missing. So both trees are in the record of the worktree before git begins, and the next call
takes back what is not finished: a file that is missing then was not deleted by the person.
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from opencode_mcp.disk.bridge_locks import hold
from opencode_mcp.errors import GitFailed
from opencode_mcp.isolation.repository.index_flags import not_checked_out, path_of, without_patterns
from opencode_mcp.isolation.repository.inherited_lock import inherited_lock
from opencode_mcp.isolation.repository.kept_commits import APPLIED, INTEGRATED, keep, kept
from opencode_mcp.isolation.repository.restoring import is_partly_written, restore, with_files_left
from opencode_mcp.isolation.repository.scratch import scratch_folder
from opencode_mcp.isolation.repository.trees import TreeChange, changes

if TYPE_CHECKING:
    from opencode_mcp.isolation.repository.git import Git
    from opencode_mcp.isolation.worktree_records import Worktree
    from opencode_mcp.isolation.worktrees import Worktrees

BEFORE = "before"
AFTER = "after"
REFS = (APPLIED, INTEGRATED)
WRITE_AGAIN = "Let this MCP server write in their folders, and call again."
ENTRIES = ("ls-files", "--stage", "-z")
GIT_SECONDS = 20.0
"""Seconds to wait for a git that goes on after its bridge was killed."""


@asynccontextmanager
async def recorded_write(
    worktrees: "Worktrees", worktree: "Worktree", git: "Git", before: str, after: str
) -> AsyncGenerator["Git"]:
    """Record a change of the checkout's files while the block makes it, and yield the git to make it with.

    Args:
        worktrees: Writes the record.
        worktree: The worktree.
        git: Git for the checkout.
        before: Tree of the files before the change.
        after: Tree of the files after it.

    Raises:
        InvalidSetting: The record cannot be written.
    """
    refs = {name: await kept(git, worktree.name, name) for name in REFS}
    await worktrees.write(replace(worktree, writing={BEFORE: before, AFTER: after, **refs}))
    try:
        with inherited_lock(worktrees.records.writing_file(worktree)) as descriptors:
            yield replace(git, inherited=descriptors)
    finally:
        with anyio.CancelScope(shield=True):
            await worktrees.write(replace(worktree, writing={}))


async def repair_write(worktrees: "Worktrees", worktree: "Worktree") -> "Worktree":
    """Take back what an earlier call has left of a change that it could not finish; return the record after that.

    Files that the person has changed since then stay as they are.

    Raises:
        GitFailed: The git of that call is still at work.
        InvalidSetting: The record cannot be written.
    """
    if not worktree.writing:
        return worktree
    async with hold(worktrees.records.writing_file(worktree), timeout=GIT_SECONDS) as is_free:
        if not is_free:
            raise GitFailed(
                f"An earlier call was interrupted, and its git still writes files in {worktree.repository}.",
                hint="Call again in a moment.",
            )
        if git := await worktrees.checkout_git(worktree):
            with anyio.CancelScope(shield=True):
                await _repair(git, worktree)
    repaired = replace(worktree, writing={})
    await worktrees.write(repaired)
    return repaired


async def _repair(git: "Git", worktree: "Worktree") -> None:
    """Take a change back unless it is finished."""
    recorded = worktree.writing
    intended = await changes(git, recorded[BEFORE], recorded[AFTER])
    with scratch_folder() as folder:
        index = folder / "index"
        await git.run("read-tree", recorded[BEFORE], index=index)
        same = await _same_as_before(git, index)
        is_finished = await to_thread.run_sync(_is_finished, git.work_tree, intended, same)
        if is_finished and not await is_partly_written(git, intended):
            return
        left = await restore(git, intended, index, await _absent_before(git, index))
    if left:
        raise with_files_left(git, left, GitFailed("An earlier call was interrupted.", hint=WRITE_AGAIN))
    for name in REFS:
        await keep(git, worktree.name, name, recorded[name])


async def _same_as_before(git: "Git", index: Path) -> frozenset[str]:
    """Return the files that are as an index has them."""
    git = without_patterns(git)
    await git.attempt("update-index", "-q", "--refresh", index=index)
    different = await git.paths("diff-files", "-z", "--name-only", index=index)
    return frozenset(await git.paths("ls-files", "-z", index=index)) - frozenset(different)


async def _absent_before(git: "Git", index: Path) -> frozenset[str]:
    """Return the files that were outside of the sparse checkout, if an index has the files before.

    The checkout's own index says that they are not checked out. One that the person had made there all the same counts
    only if it was as that index has it, so nothing of it is lost.
    """
    outside = await not_checked_out(without_patterns(git))
    if not outside:
        return outside
    same = set(await git.paths(*ENTRIES)) & set(await git.paths(*ENTRIES, index=index))
    return outside & {path_of(entry) for entry in same}


def _is_finished(top: Path, intended: list[TreeChange], same: frozenset[str]) -> bool:
    """Return True if git has made every intended change: no file is as it was before, and none is missing.

    A file that the person has changed since then counts as written.
    """
    for change in intended:
        removed = change.old_path or (change.path if not change.blob else "")
        if removed in same or change.path in same or (change.blob and not os.path.lexists(top / change.path)):
            return False
    return True
