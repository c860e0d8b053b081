"""Work of an isolated worktree, as a commit, and its comparison with what was brought back before."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from anyio import to_thread

from opencode_mcp.errors import GitFailed, InvalidArgument
from opencode_mcp.isolation.integration_result import paths_of
from opencode_mcp.isolation.left_files import left_paths
from opencode_mcp.isolation.repository.kept_commits import INTEGRATED, kept
from opencode_mcp.isolation.repository.merging import Merge, merged_trees
from opencode_mcp.isolation.repository.other_repositories import OtherRepositories, check_no_other_repositories
from opencode_mcp.isolation.repository.trees import TreeChange, changes, committed, snapshot
from opencode_mcp.text.name_lists import listed

if TYPE_CHECKING:
    from opencode_mcp.isolation.repository.git import Git
    from opencode_mcp.isolation.worktree_records import Worktree
    from opencode_mcp.isolation.worktrees import Worktrees

PATHS_NAMED = 10
REPAIR = (
    "Nothing was changed. Have OpenCode remove or repair what git cannot read in {folder}, then call again. "
    "how=discard drops the work."
)


@dataclass(frozen=True, slots=True)
class WorkFound:
    """Work in the folder of a worktree."""

    commit: str
    last: str
    """Last commit that was made there."""
    others: OtherRepositories
    """Repositories inside the folder, whose files are not in the commit."""


async def checkout_and_work(worktrees: "Worktrees", worktree: "Worktree") -> "tuple[Git, str]":
    """Return git for the person's checkout, and a commit of the worktree's files.

    Raises:
        InvalidArgument: There are other repositories in the worktree, whose files git would not bring back; or its own
            files were removed.
        GitFailed: Git cannot read it.
    """
    files = await worktrees.git(worktree.files)
    found = await work_of(files, worktree)
    await check_no_other_repositories(files, found.others)
    await _check_not_emptied(files, worktree, found)
    return await worktrees.git(worktree.checkout), found.commit


async def _check_not_emptied(git: "Git", worktree: "Worktree", found: WorkFound) -> None:
    """Refuse a worktree that was emptied; raises InvalidArgument."""
    if await is_emptied(git, worktree, found):
        raise InvalidArgument(
            f"No file of {worktree.branch} is left in {worktree.directory}: somebody has removed them, or another "
            "folder is mounted there. Nothing was changed.",
            hint="Bring the files back and call again. If the run was to delete them all, have OpenCode commit that in "
            "the same session first. how=discard drops the work.",
        )


async def is_emptied(git: "Git", worktree: "Worktree", found: WorkFound) -> bool:
    """Return True for a worktree without files: somebody has removed them, or mounted another folder there.

    As work, that would be the deletion of all files. Hidden files do not count, since ``rm -r *`` leaves them.

    Args:
        git: Git for the worktree.
        worktree: The worktree.
        found: Its work.
    """
    if found.commit == found.last or await _has_files(git, worktree, found.commit):
        return False
    return await _has_files(git, worktree, found.last)


async def _has_files(git: "Git", worktree: "Worktree", commit: str) -> bool:
    """Return True if a commit has a file or folder in the folder of the project that is not hidden."""
    folder = worktree.inside.replace("\\", "/")
    _, printed, _ = await git.attempt("ls-tree", "-z", "--name-only", f"{commit}:{folder}")
    return any(not name.startswith(b".") for name in printed.split(b"\0") if name)


async def work_of(git: "Git", worktree: "Worktree") -> WorkFound:
    """Return a commit of the worktree's files; its parent is the last commit that was made there.

    Args:
        git: Git for the worktree.
        worktree: The worktree.

    Raises:
        GitFailed: Git cannot read it.
    """
    try:
        last, last_tree = await _last_commit(git, worktree)
        async with snapshot(git, without=await to_thread.run_sync(left_paths, worktree), whole=True) as work:
            is_committed = work.tree == last_tree
            made = "" if is_committed else await committed(git, work.tree, f"Work of {worktree.branch}", last)
            return WorkFound(made or last, last, work.others)
    except GitFailed as error:
        error.hint = error.hint or REPAIR.format(folder=worktree.folder)
        raise


async def _last_commit(git: "Git", worktree: "Worktree") -> tuple[str, str]:
    """Return the last commit that was made in a worktree, and its tree; raises GitFailed if git cannot read it."""
    ids = await git.ids("HEAD^{commit}", "HEAD^{tree}")
    if ids:
        return ids[0], ids[1]
    last = await git.commit_of("HEAD") or worktree.base
    return last, await git.line("rev-parse", f"{last}^{{tree}}")


async def pending_changes(git: "Git", worktree: "Worktree", work: str) -> list[TreeChange]:
    """Return the changes of the work that were not brought back yet."""
    return await changes(git, await kept(git, worktree.name, INTEGRATED) or worktree.base, work)


async def work_to_bring_back(worktrees: "Worktrees", worktree: "Worktree") -> "tuple[Git, str]":
    """Return what ``checkout_and_work`` does, for a way that changes the checkout.

    Raises:
        InvalidArgument: As ``checkout_and_work``; or the work is not only in the project.
        GitFailed: Git cannot read the worktree.
    """
    git, work = await checkout_and_work(worktrees, worktree)
    await _check_inside(git, worktree, work)
    return git, work


async def _check_inside(git: "Git", worktree: "Worktree", work: str) -> None:
    """Refuse changes outside of the project, if that is a folder inside the repository: only the project is allowed.

    Raises:
        InvalidArgument: There are such changes.
    """
    if not worktree.inside:
        return
    folder = PurePosixPath(worktree.inside.replace("\\", "/"))
    changed = paths_of(await changes(git, worktree.base, work))
    outside = [path for path in changed if not PurePosixPath(path).is_relative_to(folder)]
    if outside:
        raise InvalidArgument(
            f"The run changed files outside of {worktree.project}: {listed(outside, PATHS_NAMED)}. "
            "Nothing was brought back.",
            hint="Have OpenCode take these changes back in the same session, then call again. how=branch keeps them on "
            f"{worktree.branch}, for a person to merge.",
        )


async def merged_work(git: "Git", worktree: "Worktree", *, ours: str, theirs: str) -> Merge:
    """Merge the work since the base, or if that conflicts, since the work that was brought back before."""
    merge = await merged_trees(git, worktree.name, base=worktree.base, ours=ours, theirs=theirs)
    before = await kept(git, worktree.name, INTEGRATED) if merge.conflicts else ""
    return await merged_trees(git, worktree.name, base=before, ours=ours, theirs=theirs) if before else merge


async def check_branch_tip(git: "Git", worktree: "Worktree", work: str) -> None:
    """Refuse work without the commits that the branch of the worktree has, since they would be lost.

    Raises:
        InvalidArgument: There are such commits.
    """
    tip = await branch_tip(git, worktree)
    if tip and not await contains(git, work, tip):
        raise InvalidArgument(
            f"{worktree.branch} has commits that are not part of the files in {worktree.folder}.",
            hint=f"Have OpenCode check out {worktree.branch} there, then call again.",
        )


async def branch_tip(git: "Git", worktree: "Worktree") -> str:
    """Return the last commit on the branch of a worktree; empty if the branch does not exist."""
    return await git.commit_of(f"refs/heads/{worktree.branch}")


async def move_branch(git: "Git", worktree: "Worktree", commit: str) -> None:
    """Let the branch of a worktree point to a commit."""
    await git.run("update-ref", f"refs/heads/{worktree.branch}", commit)


async def contains(git: "Git", commit: str, earlier: str) -> bool:
    """Return True if a commit is the descendant of an earlier one, or the same."""
    code, _, _ = await git.attempt("merge-base", "--is-ancestor", earlier, commit)
    return code == 0
