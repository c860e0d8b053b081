"""Commit work on the branch that is checked out in the person's checkout."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from opencode_mcp.errors import GitFailed, InvalidArgument
from opencode_mcp.isolation.integration_result import Integration, IntegrationOptions
from opencode_mcp.isolation.isolated_work import check_branch_tip, merged_work, move_branch, work_to_bring_back
from opencode_mcp.isolation.repository.checkout_checks import checked_head
from opencode_mcp.isolation.repository.filtered_files import check_filters_of
from opencode_mcp.isolation.repository.kept_commits import note_integrated
from opencode_mcp.isolation.repository.merging import merged_commits
from opencode_mcp.isolation.repository.restoring import restore, with_files_left
from opencode_mcp.isolation.repository.scratch import copy_index, scratch_folder
from opencode_mcp.isolation.repository.trees import TreeChange, changes, committed
from opencode_mcp.isolation.repository.write_checks.writable_folders import check_writable
from opencode_mcp.isolation.repository.writing import check_deleted, check_untracked
from opencode_mcp.isolation.unfinished.restored_index import restore_index
from opencode_mcp.isolation.unfinished.unfinished_commits import forget_commit, record_commit

if TYPE_CHECKING:
    from opencode_mcp.isolation.repository.git import Git
    from opencode_mcp.isolation.worktree_records import Worktree
    from opencode_mcp.isolation.worktrees import Worktrees


@dataclass(frozen=True, slots=True)
class _Step:
    """One commit on the checked-out branch."""

    tree: str
    """Its files."""
    options: IntegrationOptions
    work: str
    """Commit of the work that it brings."""
    parents: tuple[str, ...]
    """Its parents; the first is the last commit on the branch."""

    @property
    def head(self) -> str:
        """Return the last commit on the branch."""
        return self.parents[0]


async def commit(worktrees: "Worktrees", worktree: "Worktree", options: IntegrationOptions) -> Integration:
    """Make one commit of the work."""
    git, work = await work_to_bring_back(worktrees, worktree)
    head = await checked_head(git)
    merge = await merged_work(git, worktree, ours=head, theirs=work)
    if merge.conflicts:
        return Integration(conflicts=merge.conflicts)
    return await _advance(git, worktree, _Step(merge.tree, options, work, (head,)))


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
    return await _advance(git, worktree, _Step(merge.tree, options, work, (head, work)))


async def _check_common_history(git: "Git", worktree: "Worktree", head: str, work: str) -> None:
    code, _, _ = await git.attempt("merge-base", head, work)
    if code:
        raise InvalidArgument(
            f"{worktree.branch} and the branch that is checked out in {worktree.repository} have no common commit.",
            hint="Use how=apply, how=commit or how=branch.",
        )


async def _advance(git: "Git", worktree: "Worktree", step: _Step) -> Integration:
    """Commit a tree on the checked-out branch, and bring its files there; do nothing if they are there already."""
    changed = await changes(git, step.head, step.tree)
    if changed:
        await _check_files(git, step, changed)
        made = await committed(await git.as_person(), step.tree, step.options.message, *step.parents)
        await _bring(git, worktree, made, step, changed)
        done = Integration(changed, commit=made, undo=f"git reset --keep {step.head[:12]}")
    else:
        done = Integration()
    await note_integrated(git, worktree.name, step.work)
    return done


async def _check_files(git: "Git", step: _Step, changed: list[TreeChange]) -> None:
    """Refuse changes of files that must not be written or committed here."""
    step.options.check_changes(changed)
    for attributes in (step.head, step.tree):
        await check_filters_of(git, attributes, [change.path for change in changed if change.status != "D"])
    await check_untracked(git, changed)
    await check_deleted(git, changed)
    await check_writable(git, changed)


async def _bring(git: "Git", worktree: "Worktree", made: str, step: _Step, changed: list[TreeChange]) -> None:
    """Move the branch, the index and the files of the checkout to a commit; nothing is changed if git cannot."""
    with scratch_folder() as folder:
        before = folder / "index"
        await to_thread.run_sync(copy_index, git.git_dir / "index", before)
        # As git merge does: otherwise a file with other times counts as changed for the dry run alone.
        await git.attempt("update-index", "-q", "--refresh", index=before)
        refused, _, _ = await git.attempt("read-tree", "--dry-run", "-m", "-u", step.head, made, index=before)
        with anyio.CancelScope(shield=True):
            await record_commit(git, worktree.name, made, step.work)
            try:
                await _move(git, before, made, step, changed, is_refused=bool(refused))
            finally:
                await forget_commit(git, worktree.name)


async def _move(
    git: "Git", before: Path, made: str, step: _Step, changed: list[TreeChange], *, is_refused: bool
) -> None:
    """Move to a commit; unless git refuses that from the start, take back what it has done when it fails."""
    try:
        # Git refuses it if a file that it changes has changes that are not committed.
        await git.run("merge", "--quiet", "--ff-only", "--no-overwrite-ignore", made)
    except GitFailed as error:
        if is_refused:
            raise
        left = await _taken_back(git, before, made, step, changed)
        raise with_files_left(git, left, error) from error


async def _taken_back(git: "Git", before: Path, made: str, step: _Step, changed: list[TreeChange]) -> list[str]:
    """Make the files and the index what they were before git moved them; return what could not be restored."""
    # Git may have moved the index already, so it no longer says what the files were.
    left = await restore(git, changed, before)
    reason = await restore_index(git, before, step.head, made)
    return [*left, f"{git.git_dir / 'index'} ({reason})"] if reason else left
