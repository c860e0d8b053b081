"""Keep a commit of the work of a worktree that is discarded, as far as git can read it."""

import os
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from opencode_mcp.errors import GitFailed
from opencode_mcp.isolation.integration_result import Integration
from opencode_mcp.isolation.isolated_work import WorkFound, branch_tip, contains, is_emptied, pending_changes, work_of
from opencode_mcp.isolation.left_files import left_paths
from opencode_mcp.isolation.repository.git import Repository
from opencode_mcp.isolation.repository.kept_commits import DISCARDED, keep_discarded, kept, ref_of
from opencode_mcp.isolation.repository.other_repositories import repositories_with_files
from opencode_mcp.isolation.repository.trees import changes, committed, readable_tree
from opencode_mcp.isolation.repository.write_checks.writable_repository import check_can_keep

if TYPE_CHECKING:
    from opencode_mcp.isolation.repository.git import Git
    from opencode_mcp.isolation.worktree_records import Worktree
    from opencode_mcp.isolation.worktrees import Worktrees

LOST = "Its own files did not exist any more"
ONLY_COMMITS = f"{LOST}: only the commits on its branch are kept."
READABLE_KEPT = "Only those of its files that git can read are kept, since git could not read its worktree:"
NOTHING_KEPT = f"{LOST}, and its branch had no commits: there was nothing to keep."
KEPT = "-kept"
"""End of the name of a folder whose files could not be kept as a commit."""
SET_ASIDE = (
    "Its files were not kept as a commit, since git cannot read them: {} They are in {} now: copy what is needed, and "
    "remove that folder."
)
INTERRUPTED = "An earlier discard was interrupted after it had kept the work."
NO_REPOSITORY = f"{LOST}, and its repository cannot be read: there was nothing to keep."
EMPTIED = "No file was left in its folder, except hidden ones"
REST_KEPT = f"{EMPTIED}: only its commits and the hidden files are kept."
NO_REST = f"{EMPTIED}, and it had no commits: there was nothing to keep."


async def kept_work(worktrees: "Worktrees", worktree: "Worktree", git: "Git") -> Integration:
    """Keep a commit of the files of a worktree in a repository; if git cannot read all, of what it can read."""
    try:
        return await _kept_files(await worktrees.git(worktree.files), worktree, git)
    except GitFailed as error:
        await check_can_keep(git, worktree.name, worktree.folder, error)
        try:
            return await _kept_readable_files(git, worktree, error)
        except GitFailed:
            # An agent can write files and objects that git cannot read; or git fails at everything, as it does with
            # faulty settings.
            place = await to_thread.run_sync(_set_aside, worktree.folder)
            return replace(await _kept_rest(git, worktree), lost=SET_ASIDE.format(error.message, place))


def _set_aside(folder: str) -> str:
    """Move the folder of a worktree, whose files no commit has, to another name, and return that.

    Raises:
        GitFailed: It cannot be moved.
    """
    names = (f"{folder}{KEPT}{number or ''}" for number in count())
    place = next(name for name in names if not os.path.lexists(name))
    try:
        Path(folder).rename(place)
    except OSError as error:
        raise GitFailed(
            f"Git cannot keep the files of {folder}, and the folder cannot be moved: {error.strerror}.",
            hint="Nothing was removed. Copy what is needed, remove the folder by hand, and call again.",
        ) from error
    return place


async def _kept_files(files: "Git", worktree: "Worktree", git: "Git") -> Integration:
    """Keep a commit of the files of a worktree; raises GitFailed if git cannot make one.

    Args:
        files: Git for the worktree.
        worktree: The worktree.
        git: Git for the repository that keeps them.
    """
    found = await work_of(files, worktree)
    inside = await repositories_with_files(files, found.others)
    if await is_emptied(files, worktree, found):
        return await _kept_of_emptied(git, worktree, found, inside)
    return await _kept_commit(git, worktree, found.commit, inside)


async def _kept_of_emptied(git: "Git", worktree: "Worktree", found: WorkFound, inside: list[str]) -> Integration:
    """Keep what is left of a worktree whose files somebody has removed; their deletion is not the work."""
    if any(change.status != "D" for change in await changes(git, found.last, found.commit)):
        done = await _kept_commit(git, worktree, found.commit, inside)
        left = [change for change in done.changed if change.status != "D"]
        return replace(done, changed=left, pending=len(left), lost=REST_KEPT)
    if found.last != worktree.base:
        return replace(await _kept_commit(git, worktree, found.last, inside), lost=REST_KEPT)
    done = await _kept_rest(git, worktree)
    return replace(done, lost=REST_KEPT if done.undo else NO_REST, not_kept=inside)


async def _kept_readable_files(git: "Git", worktree: "Worktree", error: GitFailed) -> Integration:
    """Keep a commit of those files of a worktree that git can read, whatever became of what git knows of the worktree.

    That may be damaged, or be gone because the repository was made again.

    Args:
        git: Git for the repository that keeps them.
        worktree: The worktree.
        error: Why git could not read all.

    Raises:
        GitFailed: Git can read none of them.
    """
    files = replace(git, repository=Repository(git.repository.git_dir, worktree.folder))
    tree, others = await readable_tree(files, await to_thread.run_sync(left_paths, worktree))
    last = await branch_tip(git, worktree) or await git.commit_of(worktree.base)
    work = await committed(git, tree, f"Work of {worktree.branch}", *([last] if last else []))
    done = await _kept_commit(git, worktree, work, await repositories_with_files(files, others))
    return replace(done, lost=f"{READABLE_KEPT} {error.message}")


async def _kept_commit(git: "Git", worktree: "Worktree", work: str, inside: list[str]) -> Integration:
    """Keep a commit of the work.

    Args:
        git: Git for the checkout.
        worktree: The worktree.
        work: The commit.
        inside: Repositories in the worktree, whose files are not in the commit.

    Raises:
        GitFailed: Git cannot keep it.
    """
    # A repository that was made again does not have the base.
    is_comparable = bool(await git.commit_of(worktree.base))
    pending = await pending_changes(git, worktree, work) if is_comparable else []
    is_brought_back = is_comparable and not pending and bool(await changes(git, worktree.base, work))
    tip = await branch_tip(git, worktree)
    lost = [tip] if tip and not await contains(git, work, tip) else []
    dropped = await committed(git, work, f"Work of {worktree.branch}", work, *lost) if lost else work
    await keep_discarded(git, worktree.name, await _with_earlier(git, worktree, dropped))
    return Integration(
        pending,
        undo=_restore_command(worktree),
        not_kept=inside,
        pending=len(pending),
        is_brought_back=is_brought_back,
    )


async def _with_earlier(git: "Git", worktree: "Worktree", work: str) -> str:
    """Return the commit to keep, which also has what a discard kept that could not remove all files."""
    earlier = await kept(git, worktree.name, DISCARDED)
    if not earlier:
        return work
    is_rest = all(change.status == "D" for change in await changes(git, earlier, work))
    return earlier if is_rest else await committed(git, work, f"Work of {worktree.branch}", work, earlier)


async def kept_commits(worktree: "Worktree", git: "Git | None") -> Integration:
    """Keep the commits on the branch of a worktree whose files are gone, and say so."""
    if git is None:
        return Integration(lost=NO_REPOSITORY)
    if await kept(git, worktree.name, DISCARDED):
        return replace(await _kept_rest(git, worktree), lost=INTERRUPTED)
    done = await _kept_rest(git, worktree)
    return replace(done, lost=ONLY_COMMITS if done.undo else NOTHING_KEPT)


async def _kept_rest(git: "Git", worktree: "Worktree") -> Integration:
    """Keep the commits on the branch of a worktree whose files are gone or cannot be read, if there are any."""
    return Integration(undo=_restore_command(worktree) if await _is_tip_kept(git, worktree) else "")


async def _is_tip_kept(git: "Git", worktree: "Worktree") -> bool:
    """Keep the commits on the branch of a worktree beside what is kept already; return False if there is no work."""
    tip, earlier = await branch_tip(git, worktree), await kept(git, worktree.name, DISCARDED)
    if tip in {"", worktree.base}:
        return bool(earlier)
    try:
        await keep_discarded(git, worktree.name, await _with_earlier(git, worktree, tip))
    except GitFailed as error:
        await check_can_keep(git, worktree.name, worktree.folder, error)
        return bool(earlier)
    return True


def _restore_command(worktree: "Worktree") -> str:
    """Return the command that brings a discarded branch back."""
    return f"git branch {worktree.branch} {ref_of(worktree.name, DISCARDED)}"
