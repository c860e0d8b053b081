"""Remove a worktree, and keep its work on its branch or drop it."""

from dataclasses import replace
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import GitFailed
from opencode_mcp.isolation.integration_result import Integration, IntegrationOptions
from opencode_mcp.isolation.repository.kept_commits import DISCARDED, keep_discarded, ref_of
from opencode_mcp.isolation.repository.other_repositories import repositories_with_files
from opencode_mcp.isolation.repository.trees import changes, committed
from opencode_mcp.isolation.work import (
    branch_tip,
    check_branch_tip,
    checkout_and_work,
    contains,
    move_branch,
    pending_changes,
    work_of,
)

if TYPE_CHECKING:
    from opencode_mcp.isolation.records import Worktree
    from opencode_mcp.isolation.repository.git import Git
    from opencode_mcp.isolation.worktrees import Worktrees


async def keep_branch(worktrees: "Worktrees", worktree: "Worktree", options: IntegrationOptions) -> Integration:
    """Commit the work on the branch of the worktree, and remove the worktree."""
    git, work = await checkout_and_work(worktrees, worktree)
    commit = await _reworded(git, worktree, work, options.message)
    await check_branch_tip(git, worktree, commit)
    await move_branch(git, worktree, commit)
    changed = await changes(git, worktree.base, commit)
    await worktrees.remove(worktree, keep_branch=True)
    return Integration(changed, commit=commit, undo=f"git branch -D {worktree.branch}")


async def discard(worktrees: "Worktrees", worktree: "Worktree", _options: IntegrationOptions) -> Integration:
    """Remove the worktree and its branch; a commit of the work is kept, unless git cannot make one.

    The files in other repositories inside are not kept: an agent may have put them there, and git does not take them.
    """
    if not await is_whole(worktree):
        return await _discard_rest(worktrees, worktree)
    try:
        return await _discard_whole(worktrees, worktree)
    except GitFailed as error:
        # An agent can write files and objects that git cannot read.
        lost = f"Its files were not kept as a commit, since git cannot read them: {error.message}"
        return replace(await _discard_rest(worktrees, worktree), lost=lost)


async def _discard_whole(worktrees: "Worktrees", worktree: "Worktree") -> Integration:
    """Remove a worktree and its branch, and keep a commit of the work; raises GitFailed if git cannot make one."""
    files = await worktrees.git(worktree.files)
    found = await work_of(files, worktree)
    inside, work = await repositories_with_files(files, found.others), found.commit
    git = await worktrees.git(worktree.checkout)
    pending = await pending_changes(git, worktree, work)
    is_brought_back = not pending and bool(await changes(git, worktree.base, work))
    tip = await branch_tip(git, worktree)
    lost = [tip] if tip and not await contains(git, work, tip) else []
    dropped = await committed(git, work, f"Work of {worktree.branch}", work, *lost) if lost else work
    await keep_discarded(git, worktree.name, dropped)
    await worktrees.remove(worktree)
    return Integration(
        pending,
        undo=_restore_command(worktree),
        not_kept=inside,
        pending=len(pending),
        is_brought_back=is_brought_back,
    )


async def _discard_rest(worktrees: "Worktrees", worktree: "Worktree") -> Integration:
    """Remove what is left of a worktree that was removed in part; the commits on its branch are kept."""
    git = await _checkout_git(worktrees, worktree)
    tip = await branch_tip(git, worktree) if git else ""
    kept = bool(git and tip) and await _is_kept(git, worktree, tip)
    await worktrees.remove(worktree)
    return Integration(undo=_restore_command(worktree) if kept else "")


async def _is_kept(git: "Git | None", worktree: "Worktree", tip: str) -> bool:
    """Keep a commit of a discarded branch, and return True if git can."""
    try:
        if git:
            await keep_discarded(git, worktree.name, tip)
    except GitFailed:
        return False
    return git is not None


async def _checkout_git(worktrees: "Worktrees", worktree: "Worktree") -> "Git | None":
    """Return git for the person's checkout; None if that cannot be read."""
    try:
        return await worktrees.checkout_git(worktree)
    except GitFailed:
        return None


async def is_whole(worktree: "Worktree") -> bool:
    """Return True if both the files of a worktree and its git directory exist, and neither is a link elsewhere."""
    places = [anyio.Path(place) for place in (worktree.folder, worktree.files.git_dir)]
    return all([await place.is_dir() and not await place.is_symlink() for place in places])


def _restore_command(worktree: "Worktree") -> str:
    """Return the command that brings a discarded branch back."""
    return f"git branch {worktree.branch} {ref_of(worktree.name, DISCARDED)}"


async def _reworded(git: "Git", worktree: "Worktree", work: str, message: str) -> str:
    """Return the commit of the work with the caller's message, unless the agent has made that commit itself."""
    files = replace(git, repository=worktree.files)
    last = await files.commit_of("HEAD")
    return last if work == last else await committed(git, work, message, last or worktree.base)
