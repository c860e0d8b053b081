"""Remove a worktree, and keep its work on its branch or drop it."""

from dataclasses import replace
from typing import TYPE_CHECKING

from opencode_mcp.errors import GitFailed
from opencode_mcp.isolation.integration_result import Integration, IntegrationOptions
from opencode_mcp.isolation.isolated_work import branch_tip, check_branch_tip, checkout_and_work, move_branch
from opencode_mcp.isolation.removal.discarded_work import kept_commits, kept_work
from opencode_mcp.isolation.repository.trees import changes, committed
from opencode_mcp.isolation.whole_worktrees import has_folder

if TYPE_CHECKING:
    from opencode_mcp.isolation.repository.git import Git
    from opencode_mcp.isolation.worktree_records import Worktree
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
    """Remove the worktree and its branch, after a commit of the work is kept.

    If git cannot make one, as an agent can write files and objects that git cannot read, the folder is moved aside. The
    files in other repositories inside are not kept: an agent may have put them there, and git does not take them.

    Raises:
        GitFailed: The work cannot be kept, and nothing was removed; or the worktree cannot be removed.
    """
    git, reason = await _keeping_git(worktrees, worktree)
    if not await has_folder(worktree):
        done = await kept_commits(worktree, git)
    elif git is None:
        raise _without_repository(worktree, reason)
    else:
        done = await kept_work(worktrees, worktree, git)
    await worktrees.remove(worktree)
    keeps_branch = git is None or bool(await branch_tip(git, worktree))
    is_elsewhere = git is not None and git.repository != worktree.checkout
    return replace(done, keeps_branch=keeps_branch, undo_in=worktree.common_dir if is_elsewhere else "")


async def _keeping_git(worktrees: "Worktrees", worktree: "Worktree") -> "tuple[Git | None, str]":
    """Return git for the repository that keeps the work; without one, the reason."""
    try:
        git = await worktrees.keeping_git(worktree)
    except GitFailed as error:
        return None, error.message.removesuffix(".")
    return git, "" if git else f"there is none in {worktree.common_dir} any more"


def _without_repository(worktree: "Worktree", reason: str) -> GitFailed:
    """Return the error for a worktree that has files, but no repository that could keep them."""
    return GitFailed(
        f"The repository of {worktree.branch} cannot keep the work: {reason}. Nothing was removed.",
        hint=f"Correct that or put the repository back, and call again. Or copy what is needed from {worktree.folder}, "
        "remove that folder by hand, and call again.",
    )


async def _reworded(git: "Git", worktree: "Worktree", work: str, message: str) -> str:
    """Return the commit of the work with the caller's message, unless the agent has made that commit itself."""
    files = replace(git, repository=worktree.files)
    last = await files.commit_of("HEAD")
    return last if work == last else await committed(git, work, message, last or worktree.base)
