"""Keep a commit of the work of a worktree that is discarded, as far as git can read it."""

from dataclasses import replace
from typing import TYPE_CHECKING

from anyio import to_thread

from opencode_mcp.errors import GitFailed
from opencode_mcp.isolation.integration_result import Integration
from opencode_mcp.isolation.isolated_work import branch_tip, contains, pending_changes, work_of
from opencode_mcp.isolation.left_files import left_paths
from opencode_mcp.isolation.repository.git import Repository
from opencode_mcp.isolation.repository.kept_commits import DISCARDED, keep_discarded, kept, ref_of
from opencode_mcp.isolation.repository.other_repositories import repositories_with_files
from opencode_mcp.isolation.repository.trees import changes, committed, readable_tree
from opencode_mcp.isolation.repository.write_checks.writable_repository import check_can_keep
from opencode_mcp.isolation.whole_worktrees import is_folder

if TYPE_CHECKING:
    from opencode_mcp.isolation.repository.git import Git
    from opencode_mcp.isolation.worktree_records import Worktree
    from opencode_mcp.isolation.worktrees import Worktrees

LOST = "Its own files did not exist any more"
ONLY_COMMITS = f"{LOST}: only the commits on its branch are kept."
READABLE_KEPT = "Only those of its files that git can read are kept, since git could not read its worktree:"
NOTHING_KEPT = f"{LOST}, and its branch had no commits: there was nothing to keep."


async def kept_work(worktrees: "Worktrees", worktree: "Worktree") -> Integration:
    """Keep a commit of the files of a worktree; if git cannot read all, of what it can read."""
    try:
        return await _kept_files(worktrees, worktree)
    except GitFailed as error:
        git = await _keeping_git(worktrees, worktree)
        if git:
            await check_can_keep(git, worktree.name, worktree.folder, error)
        try:
            return await _kept_readable_files(git, worktree, error)
        except GitFailed:
            # An agent can write files and objects that git cannot read.
            lost = f"Its files were not kept as a commit, since git cannot read them: {error.message}"
            return replace(await _kept_rest(worktrees, worktree), lost=lost)


async def _kept_files(worktrees: "Worktrees", worktree: "Worktree") -> Integration:
    """Keep a commit of the files of a worktree; raises GitFailed if git cannot make one."""
    files = await worktrees.git(worktree.files)
    found = await work_of(files, worktree)
    inside = await repositories_with_files(files, found.others)
    git = await _keeping_git(worktrees, worktree)
    if git is None:
        raise GitFailed(f"The repository of {worktree.repository} does not exist any more.")
    return await _kept_commit(git, worktree, found.commit, inside)


async def _kept_readable_files(git: "Git | None", worktree: "Worktree", error: GitFailed) -> Integration:
    """Keep a commit of those files of a worktree that git can read, whatever became of what git knows of the worktree.

    That may be damaged, or be gone because the repository was made again.

    Args:
        git: Git for the repository that keeps them; ``None`` if there is none.
        worktree: The worktree.
        error: Why git could not read all.

    Raises:
        GitFailed: Git can read none of them.
    """
    if git is None:
        raise error
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


async def kept_commits(worktrees: "Worktrees", worktree: "Worktree") -> Integration:
    """Keep the commits on the branch of a worktree whose files are gone, and say so."""
    done = await _kept_rest(worktrees, worktree)
    return replace(done, lost=ONLY_COMMITS if done.undo else NOTHING_KEPT)


async def _kept_rest(worktrees: "Worktrees", worktree: "Worktree") -> Integration:
    """Keep the commits on the branch of a worktree whose files are gone or cannot be read, if there are any."""
    git = await _keeping_git(worktrees, worktree)
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


async def _keeping_git(worktrees: "Worktrees", worktree: "Worktree") -> "Git | None":
    """Return git for the repository that keeps the work; ``None`` if that cannot be read.

    It is that of the person's checkout. If the checkout was a worktree itself that was removed, it is the one that this
    shared with others.
    """
    shared = Repository(worktree.common_dir, str(worktrees.records.folder))
    try:
        found = await worktrees.checkout_git(worktree)
        return found or (await worktrees.git(shared) if await is_folder(worktree.common_dir) else None)
    except GitFailed:
        return None


def _restore_command(worktree: "Worktree") -> str:
    """Return the command that brings a discarded branch back."""
    return f"git branch {worktree.branch} {ref_of(worktree.name, DISCARDED)}"
