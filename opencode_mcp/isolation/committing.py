"""Commit work on the branch that is checked out in the person's checkout."""

from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import GitFailed, InvalidArgument
from opencode_mcp.isolation.repository.checkout_checks import checked_head
from opencode_mcp.isolation.repository.filtered_files import check_filters_of
from opencode_mcp.isolation.repository.kept_commits import note_integrated
from opencode_mcp.isolation.repository.merging import merged_commits
from opencode_mcp.isolation.repository.trees import changes, committed
from opencode_mcp.isolation.repository.writing import check_untracked, restore
from opencode_mcp.isolation.results import Integration, IntegrationOptions
from opencode_mcp.isolation.work import check_branch_tip, merged_work, move_branch, work_to_bring_back

if TYPE_CHECKING:
    from opencode_mcp.isolation.records import Worktree
    from opencode_mcp.isolation.repository.git import Git
    from opencode_mcp.isolation.worktrees import Worktrees


async def commit(worktrees: "Worktrees", worktree: "Worktree", options: IntegrationOptions) -> Integration:
    """Make one commit of the work."""
    git, work = await work_to_bring_back(worktrees, worktree)
    head = await checked_head(git)
    merge = await merged_work(git, worktree, ours=head, theirs=work)
    if merge.conflicts:
        return Integration(conflicts=merge.conflicts)
    done = await _advance(git, merge.tree, options.message, head)
    await note_integrated(git, worktree.name, work)
    return done


async def merge_branch(worktrees: "Worktrees", worktree: "Worktree", options: IntegrationOptions) -> Integration:
    """Merge the branch of the worktree, with the commits that were made on it.

    Raises:
        InvalidArgument: It cannot be merged.
    """
    if worktree.from_working_tree:
        raise InvalidArgument(
            "The branch begins with changes that were not committed, so it cannot be merged.",
            hint="Use how=apply or how=commit: they bring only what the run has changed.",
        )
    git, work = await work_to_bring_back(worktrees, worktree)
    head = await checked_head(git)
    await _check_common_history(git, worktree, head, work)
    await check_branch_tip(git, worktree, work)
    merge = await merged_commits(git, worktree.name, head, work)
    if merge.conflicts:
        return Integration(conflicts=merge.conflicts)
    await move_branch(git, worktree, work)
    done = await _advance(git, merge.tree, options.message, head, work)
    await note_integrated(git, worktree.name, work)
    return done


async def _check_common_history(git: "Git", worktree: "Worktree", head: str, work: str) -> None:
    code, _, _ = await git.attempt("merge-base", head, work)
    if code:
        raise InvalidArgument(
            f"{worktree.branch} and the branch that is checked out in {worktree.repository} have no common commit.",
            hint="Use how=apply, how=commit or how=branch.",
        )


async def _advance(git: "Git", tree: str, message: str, head: str, *parents: str) -> Integration:
    """Commit a tree on the checked-out branch, and bring its files there; do nothing if they are there already."""
    changed = await changes(git, head, tree)
    if not changed:
        return Integration()
    for attributes in (head, tree):
        await check_filters_of(git, attributes, [change.path for change in changed if change.status != "D"])
    await check_untracked(git, changed)
    made = await committed(await git.as_person(), tree, message, head, *parents)
    refused, _, _ = await git.attempt("read-tree", "--dry-run", "-m", "-u", head, made)
    with anyio.CancelScope(shield=True):
        try:
            # Git refuses it if a file that it changes has changes that are not committed.
            await git.run("merge", "--quiet", "--ff-only", "--no-overwrite-ignore", made)
        except GitFailed:
            if not refused:
                await restore(git, changed, tree)
            raise
    return Integration(changed, commit=made, undo=f"git reset --keep {head[:12]}")
