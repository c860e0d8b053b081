"""Bring work into the files of the person's checkout, and take it out again; nothing is staged or committed."""

from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import GitFailed, InvalidArgument
from opencode_mcp.isolation.integration_result import Integration, IntegrationOptions
from opencode_mcp.isolation.isolated_work import merged_work, work_to_bring_back
from opencode_mcp.isolation.repository.checkout_checks import check_submodules
from opencode_mcp.isolation.repository.filtered_files import check_filters
from opencode_mcp.isolation.repository.kept_commits import (
    APPLIED,
    AppliedWork,
    forget_apply,
    keep,
    last_apply,
    note_integrated,
    record_apply,
    recorded_apply,
)
from opencode_mcp.isolation.repository.merging import Merge, has_markers, merged_trees
from opencode_mcp.isolation.repository.trees import Snapshot, TreeChange, changes, snapshot
from opencode_mcp.isolation.repository.writing import write
from opencode_mcp.isolation.unfinished.unfinished_writes import recorded_write

if TYPE_CHECKING:
    from opencode_mcp.isolation.repository.git import Git
    from opencode_mcp.isolation.worktree_records import Worktree
    from opencode_mcp.isolation.worktrees import Worktrees

SHORT_ID = 12
"""Letters of a commit's id that a sentence shows."""
UNDO = 'call opencode_integrate(session_id="{session}", how="undo").'
EARLIER = 'how="undo" once more takes the apply before it back, too.'
BY_HAND = (
    "If they are to stay out, `git diff --binary {before} {after} | git apply -R` takes out those of the apply before."
)
AGAIN = 'call opencode_integrate(session_id="{session}", how="apply"), which brings them in again.'


async def apply(worktrees: "Worktrees", worktree: "Worktree", options: IntegrationOptions) -> Integration:
    """Bring the work into the files of the checkout."""
    git, work = await work_to_bring_back(worktrees, worktree)
    before = await last_apply(git, worktree.name)
    async with snapshot(git, filtered=False, known=before.after if before else "") as seen:
        merge = await merged_work(git, worktree, ours=seen.tree, theirs=work)
        if merge.conflicts and not options.markers:
            return Integration(conflicts=merge.conflicts)
        changed = await _checked_changes(git, seen, merge, options)
        # A new file is written as the worktree has it, and goes through the filter when the person adds it.
        await check_filters(git, seen.own, _earlier_paths(changed, without="A"))
        if changed:
            done = AppliedWork(seen.tree, merge.tree, before.after if before else "")
            async with recorded_write(worktrees, worktree, git, seen.tree, merge.tree) as writer:
                await _apply_recorded(writer, worktree, seen, done, work)
    await note_integrated(git, worktree.name, work)
    return Integration(changed, merge.conflicts, undo=_hint(UNDO, worktree) if changed else "")


async def undo(worktrees: "Worktrees", worktree: "Worktree", options: IntegrationOptions) -> Integration:
    """Take the last ``apply`` out of the files of the checkout.

    Raises:
        InvalidArgument: There is none, or none of its changes is in the files.
    """
    git = await worktrees.git(worktree.checkout)
    done = await last_apply(git, worktree.name)
    if done is None:
        raise InvalidArgument(
            f"No changes of {worktree.branch} are applied.", hint="Only how=apply can be undone like this."
        )
    async with snapshot(git, filtered=False, known=done.after) as seen:
        merge = await merged_trees(git, worktree.name, base=done.after, ours=seen.tree, theirs=done.before)
        if merge.conflicts and not options.markers:
            return Integration(conflicts=merge.conflicts)
        changed = await _checked_changes(git, seen, merge, options)
        if not changed:
            raise await _absent(git, worktree, done)
        await check_filters(git, seen.own, _earlier_paths(changed, without="D"))
        with anyio.CancelScope(shield=True):
            async with recorded_write(worktrees, worktree, git, seen.tree, merge.tree) as writer:
                await write(writer, seen, merge.tree)
            await forget_apply(git, worktree.name, done)
    undo_hint = " ".join([_hint(AGAIN, worktree), *([EARLIER] if done.earlier else [])])
    return Integration(changed, merge.conflicts, undo=undo_hint)


async def _absent(git: "Git", worktree: "Worktree", done: AppliedWork) -> InvalidArgument:
    """Return the error for an ``apply`` of which the checkout has nothing: it may come back, so it is not forgotten."""
    hint = "If they are in a stash or on another branch, bring them back, as with `git stash pop`, and call again."
    if earlier := await recorded_apply(git, done.earlier):
        hint += f" {BY_HAND.format(before=earlier.before[:SHORT_ID], after=earlier.after[:SHORT_ID])}"
    return InvalidArgument(
        f"{worktree.project} does not have the last applied changes of {worktree.branch}. Nothing was changed.",
        hint=hint,
    )


def _hint(text: str, worktree: "Worktree") -> str:
    """Return how to undo something, with the name by which the worktree is found."""
    return text.format(session=worktree.session_id or worktree.branch)


async def _checked_changes(git: "Git", seen: Snapshot, merge: Merge, options: IntegrationOptions) -> list[TreeChange]:
    """Return the changes that a merge makes in the checkout; raises if one of them must not be made."""
    await _check_markers(git, seen, merge)
    changed = await changes(git, seen.tree, merge.tree)
    check_submodules(changed)
    options.check_changes(changed)
    return changed


def _earlier_paths(changed: list[TreeChange], *, without: str) -> list[str]:
    """Return the paths that changed files had before; those with one of git's letters are left out."""
    return [one.old_path or one.path for one in changed if one.status != without]


async def _check_markers(git: "Git", seen: Snapshot, merge: Merge) -> None:
    """Refuse to write conflict markers into a file that has some already.

    Raises:
        InvalidArgument: There is such a file.
    """
    for conflict in merge.conflicts:
        if await has_markers(git, seen.tree, conflict.path):
            raise InvalidArgument(
                f"{conflict.path} still has conflict markers from before. Nothing was changed.",
                hint='Resolve them in the file first, or take them out with how="undo".',
            )


async def _apply_recorded(git: "Git", worktree: "Worktree", seen: Snapshot, done: AppliedWork, work: str) -> None:
    """Write the files after an ``apply`` into the checkout, and record it for ``undo``."""
    with anyio.CancelScope(shield=True):
        await record_apply(git, worktree.name, done, work)
        try:
            await write(git, seen, done.after)
        except GitFailed:
            await keep(git, worktree.name, APPLIED, done.earlier)
            raise
