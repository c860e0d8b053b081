"""Remove a worktree, and keep its work on its branch or drop it."""

from dataclasses import replace
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import GitFailed
from opencode_mcp.isolation.integration_result import Integration, IntegrationOptions
from opencode_mcp.isolation.isolated_work import (
    branch_tip,
    check_branch_tip,
    checkout_and_work,
    contains,
    move_branch,
    pending_changes,
    work_of,
)
from opencode_mcp.isolation.repository.kept_commits import DISCARDED, keep_discarded, kept, ref_of
from opencode_mcp.isolation.repository.other_repositories import repositories_with_files
from opencode_mcp.isolation.repository.trees import changes, committed
from opencode_mcp.isolation.repository.write_checks.writable_repository import check_can_keep

if TYPE_CHECKING:
    from opencode_mcp.isolation.repository.git import Git
    from opencode_mcp.isolation.worktree_records import Worktree
    from opencode_mcp.isolation.worktrees import Worktrees


LOST = "Its own files did not exist any more"
ONLY_COMMITS = f"{LOST}: only the commits on its branch are kept."
NOTHING_KEPT = f"{LOST}, and its branch had no commits: there was nothing to keep."


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

    Without one, it removes them only if git cannot read what an agent has made of the files or of the objects. The
    files in other repositories inside are not kept: an agent may have put them there, and git does not take them.

    Raises:
        GitFailed: The work cannot be kept, and nothing was removed; or the worktree cannot be removed.
    """
    done = await (_kept_work if await is_whole(worktree) else _kept_commits)(worktrees, worktree)
    await worktrees.remove(worktree)
    return done


async def _kept_work(worktrees: "Worktrees", worktree: "Worktree") -> Integration:
    """Keep a commit of the files of a worktree; of unreadable ones, what is on its branch."""
    try:
        return await _kept_files(worktrees, worktree)
    except GitFailed as error:
        if git := await worktrees.checkout_git(worktree):
            await check_can_keep(git, worktree.name, worktree.folder, error)
        # An agent can write files and objects that git cannot read.
        lost = f"Its files were not kept as a commit, since git cannot read them: {error.message}"
        return replace(await _kept_rest(worktrees, worktree), lost=lost)


async def _kept_files(worktrees: "Worktrees", worktree: "Worktree") -> Integration:
    """Keep a commit of the files of a worktree; raises GitFailed if git cannot make one."""
    files = await worktrees.git(worktree.files)
    found = await work_of(files, worktree)
    inside, work = await repositories_with_files(files, found.others), found.commit
    git = await worktrees.git(worktree.checkout)
    pending = await pending_changes(git, worktree, work)
    is_brought_back = not pending and bool(await changes(git, worktree.base, work))
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


async def _kept_commits(worktrees: "Worktrees", worktree: "Worktree") -> Integration:
    """Keep the commits on the branch of a worktree whose files are gone, and say so."""
    done = await _kept_rest(worktrees, worktree)
    return replace(done, lost=ONLY_COMMITS if done.undo else NOTHING_KEPT)


async def _kept_rest(worktrees: "Worktrees", worktree: "Worktree") -> Integration:
    """Keep the commits on the branch of a worktree whose files are gone or cannot be read, if there are any."""
    git = await _checkout_git(worktrees, worktree)
    is_kept = git is not None and await _is_tip_kept(git, worktree)
    return Integration(undo=_restore_command(worktree) if is_kept else "")


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


async def is_own_folder(worktrees: "Worktrees", worktree: "Worktree") -> bool:
    """Return True if a worktree is whole, and its folder is not one that somebody has made again after its removal.

    A worktree has a file ``.git``. What it says does not count: the bridge never reads it, so that an agent cannot lead
    git elsewhere. An agent may also have made a repository in the worktree; one in a folder that was made again has
    nothing of the base.
    """
    place = anyio.Path(worktree.folder, ".git")
    if not await is_whole(worktree) or not await place.exists():
        return False
    return await place.is_file() or await _has_file_of_base(worktrees, worktree)


async def _has_file_of_base(worktrees: "Worktrees", worktree: "Worktree") -> bool:
    """Return True if a file or folder at the top of the base is still in a worktree."""
    git = await worktrees.checkout_git(worktree)
    if git is None:
        return False
    for name in await git.paths("ls-tree", "--name-only", "-z", worktree.base):
        if await anyio.Path(worktree.folder, name).exists():
            return True
    return False


def _restore_command(worktree: "Worktree") -> str:
    """Return the command that brings a discarded branch back."""
    return f"git branch {worktree.branch} {ref_of(worktree.name, DISCARDED)}"


async def _reworded(git: "Git", worktree: "Worktree", work: str, message: str) -> str:
    """Return the commit of the work with the caller's message, unless the agent has made that commit itself."""
    files = replace(git, repository=worktree.files)
    last = await files.commit_of("HEAD")
    return last if work == last else await committed(git, work, message, last or worktree.base)
