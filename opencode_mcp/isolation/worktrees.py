"""Isolated worktrees: each is a checkout on a branch of its own, in the state folder, for one session.

A project may be a folder inside a repository. Git's worktrees hold whole repositories; the run then works in the same
folder of the worktree (``Worktree.directory``).

OpenCode's own worktrees (``worktree.create``) begin with ``HEAD`` alone and leave no record of their base. They serve
only where OpenCode runs on another machine (``remote_isolation/``).
"""

import logging
import os
import shutil
import stat
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread

from opencode_mcp.disk.full_disk import space_hint
from opencode_mcp.disk.path_errors import check_text
from opencode_mcp.disk.private_modes import PRIVATE_FOLDER
from opencode_mcp.disk.state_folder import unusable
from opencode_mcp.errors import GitFailed, InvalidArgument
from opencode_mcp.isolation.recorded_worktrees import BRANCHES, HEAD, WORKING_TREE, RecordedWorktrees, new_name
from opencode_mcp.isolation.repository.git import Git, Repository, installed_git, reason
from opencode_mcp.isolation.repository.kept_commits import DISCARDED, INTEGRATED, forget_all, forget_old, kept
from opencode_mcp.isolation.repository.status import uncommitted_files
from opencode_mcp.isolation.repository.trees import committed, snapshot
from opencode_mcp.isolation.worktree_records import CheckoutChange, Records, Worktree

logger = logging.getLogger(__name__)

OTHER_BRANCHES = "opencode-mcp"
"""First part of the names in a repository that has a branch ``opencode``: git can keep no branch below that."""
BROUGHT_KEPT = 20
LEAVING = ".leaving"
"""End of the name of a folder that is being removed; no worktree is called so."""
ASKED = ("--path-format=absolute", "--show-toplevel", "--absolute-git-dir", "--git-common-dir", "--show-prefix")
"""Facts of a repository, in the order in which git prints them."""


class Worktrees(RecordedWorktrees):
    """Makes, finds and removes isolated worktrees with git.

    Args:
        state_directory: State folder; worktrees and records are below it.
        environment: Variables of the bridge.
    """

    def __init__(self, state_directory: Path, environment: Mapping[str, str]) -> None:
        super().__init__(Records(state_directory))
        self._environment = environment

    async def git(self, repository: Repository) -> Git:
        """Return git for a repository of a record; raises as ``installed_git`` and ``Git.at``."""
        return await installed_git(self._environment, repository.work_tree).at(repository)

    async def checkout_git(self, worktree: Worktree) -> Git | None:
        """Return git for the person's checkout; None if that does not exist any more."""
        places = (worktree.git_dir, worktree.repository)
        exist = [await anyio.Path(place).is_dir() for place in places]
        return await self.git(worktree.checkout) if all(exist) else None

    async def keeping_git(self, worktree: Worktree) -> Git | None:
        """Return git for the repository that keeps discarded work; None if that does not exist any more.

        It is that of the person's checkout. If the checkout was a worktree itself that was removed, it is the one that
        this shared with others.

        Raises:
            GitFailed: Git cannot read the repository.
        """
        if found := await self.checkout_git(worktree):
            return found
        if await anyio.Path(worktree.common_dir).is_dir():
            return await self.git(Repository(worktree.common_dir, str(self.records.folder)))
        return None

    async def git_in(self, directory: str) -> Git:
        """Return git for the worktree, or else for the repository, that a directory is in.

        Raises:
            InvalidArgument: It is in no git repository.
            GitFailed: Git cannot read the repository.
        """
        worktree = await to_thread.run_sync(self.records.at, directory)
        repository = worktree.files if worktree else (await self._repository(directory))[0]
        return await self.git(repository)

    async def check(self, project: str, base: str) -> None:
        """Check that ``create`` can begin; raises as that does."""
        checkout, _, _ = await self._own_repository(project)
        if base != WORKING_TREE:
            await _commit(await self.git(checkout), base)

    async def create(self, project: str, *, base: str = HEAD, title: str = "") -> Worktree:
        """Make a worktree of a project's repository, on a new branch.

        Args:
            project: Absolute path of the project.
            base: ``HEAD``, another commit or branch, or ``WORKING_TREE``.
            title: Text that the names of the branch and of the folder begin with.

        Raises:
            InvalidArgument: The project is in no git repository, or there is no such base.
            InvalidSetting: There is no git, or the state folder cannot be used.
            GitFailed: Git could not make it; nothing is left behind.
        """
        checkout, common_dir, inside = await self._own_repository(project)
        git = await self.git(checkout)
        start = await _start(git, base)
        await forget_old(git)
        await to_thread.run_sync(self.records.prepare)
        name = new_name(title)
        made = Worktree(
            name=name,
            repository=checkout.work_tree,
            git_dir=checkout.git_dir,
            common_dir=common_dir,
            folder=str(self.records.folder / name),
            inside=inside,
            branch=f"{await _first_part(git)}/{name}",
            base=start,
            created=time.time(),
            from_working_tree=base == WORKING_TREE,
            uncommitted=await uncommitted_files(git) if base == HEAD else 0,
        )
        await self.write(made)
        try:
            await self._check_out(git, made)
        except BaseException as error:
            if isinstance(error, GitFailed):
                error.hint = error.hint or space_hint(error.message, [str(self.records.folder)])
            with anyio.CancelScope(shield=True):
                await self.remove(made)
            raise
        return made

    async def note_verifying(self, worktree: Worktree, before: Mapping[str, Any]) -> None:
        """Record the state of the files of a worktree before a verification."""
        await self.write(replace(worktree, verifying=before))

    async def note_left(self, worktree: Worktree, left: Mapping[str, Sequence[int]]) -> None:
        """Record the files of a worktree that are no part of the work, at the end of a verification."""
        await self.write(replace(worktree, left=left, verifying={}))

    async def note_brought(self, worktree: Worktree, brought: CheckoutChange) -> None:
        """Record that files of the checkout were changed; the latest ``BROUGHT_KEPT`` times are kept."""
        await self.write(replace(worktree, brought=[*worktree.brought, brought][-BROUGHT_KEPT:]))

    async def is_brought(self, worktree: Worktree) -> bool:
        """Return True if the person's checkout has work of a worktree, as far as git can tell."""
        try:
            git = await self.checkout_git(worktree) if worktree.brought else None
            return git is not None and bool(await kept(git, worktree.name, INTEGRATED))
        except GitFailed:
            return False

    async def remove(self, worktree: Worktree, *, keep_branch: bool = False) -> None:
        """Remove a worktree with its files; what does not exist any more is no error.

        The record of a session's worktree stays, marked as removed.

        Raises:
            GitFailed: Its folder cannot be removed. The record stays as it is.
        """
        await to_thread.run_sync(_remove_at_once, worktree.folder)
        # Git's own command would look into the folder first, and prune what it knows of other worktrees.
        await to_thread.run_sync(_remove_folder, worktree.files.git_dir)
        if not keep_branch:
            await self._delete_branch(worktree)
        await self.write_removed(worktree)

    async def _delete_branch(self, worktree: Worktree) -> None:
        """Delete the branch of a worktree, as far as git can read its repository."""
        try:
            git = await self.keeping_git(worktree)
        except GitFailed as error:
            logger.warning("the repository of %s cannot be read: %s", worktree.branch, error)
            return
        if git:
            await git.attempt("update-ref", "-d", f"refs/heads/{worktree.branch}")

    async def delete_record(self, worktree: Worktree) -> None:
        """Delete the record of a removed worktree without a session; of its commits, the discarded work stays."""
        if git := await self.checkout_git(worktree):
            await forget_all(git, worktree.name, but=DISCARDED)
        await to_thread.run_sync(self.records.delete, worktree)

    async def forget(self, directory: str) -> None:
        """Forget the removed worktree of a deleted session, with the commits that were kept for it."""
        worktree = await to_thread.run_sync(self.records.at, directory)
        if worktree is None or not worktree.removed:
            return
        if git := await self.checkout_git(worktree):
            await forget_all(git, worktree.name)
        await to_thread.run_sync(self.records.delete, worktree)

    async def _own_repository(self, project: str) -> tuple[Repository, str, str]:
        """Return what ``_repository`` does, unless the project is an isolated worktree."""
        if self.records.contains(Path(await to_thread.run_sync(os.path.realpath, project))):
            raise InvalidArgument(
                f"{project} is an isolated worktree itself.", hint="Give the directory of its project, or no isolate."
            )
        return await self._repository(project)

    async def _repository(self, project: str) -> tuple[Repository, str, str]:
        """Return a project's checkout, its common git directory, and the project's path below the checkout."""
        git = installed_git(self._environment, project)
        code, printed, complaint = await git.attempt("rev-parse", *ASKED)
        facts = printed.decode(errors="surrogateescape").split("\n")
        if code or len(facts) != len(ASKED):
            raise InvalidArgument(
                f"{project} is in no git repository that can be used ({reason(complaint)}), so no run can be isolated.",
                hint="Run without isolate, or make a repository with `git init` first.",
            )
        top, git_dir, common_dir, prefix = facts[:4]
        return Repository(git_dir, top), common_dir, prefix.rstrip("/")

    async def _check_out(self, git: Git, made: Worktree) -> None:
        try:
            await anyio.Path(made.folder).mkdir(mode=PRIVATE_FOLDER)
        except OSError as error:
            raise unusable(Path(made.folder), error) from error
        await git.run("worktree", "add", "--quiet", "--no-checkout", "-b", made.branch, made.folder, made.base)
        if not await anyio.Path(made.files.git_dir).is_dir():
            raise GitFailed(f"git made the worktree {made.name} under another name.")
        # The files are written by the same git as later, so no filter and no hook runs here either.
        await (await self.git(made.files)).run("reset", "--quiet", "--hard")
        if not await anyio.Path(made.directory).is_dir():
            raise InvalidArgument(
                f"The folder {made.inside} of {made.repository} does not exist in {made.base[:12]}.",
                hint=f'Commit it, or give base="{WORKING_TREE}".',
            )


async def _start(git: Git, base: str) -> str:
    """Return the commit to begin with."""
    if base == WORKING_TREE:
        head = await git.commit_of(HEAD)
        async with snapshot(git, filtered=False) as seen:
            return await committed(git, seen.tree, "Working tree", *([head] if head else []))
    return await _commit(git, base)


async def _commit(git: Git, base: str) -> str:
    """Return the commit that a base names.

    Raises:
        InvalidArgument: It names none.
    """
    check_text(base, "base")
    commit = await git.commit_of(base)
    if commit:
        return commit
    if base == HEAD:
        raise InvalidArgument(
            f"{git.work_tree} has no commit yet.", hint=f'Commit something, or give base="{WORKING_TREE}".'
        )
    raise InvalidArgument(
        f"{git.work_tree} has no branch or commit {base!r}.", hint=f'Give one, or "{HEAD}" or "{WORKING_TREE}".'
    )


async def _first_part(git: Git) -> str:
    """Return the first part of a new branch's name."""
    return OTHER_BRANCHES if await git.commit_of(f"refs/heads/{BRANCHES}") else BRANCHES


def _remove_at_once(folder: str) -> None:
    """Remove the folder of a worktree so that no call finds a part of its files, also after the bridge was killed.

    Raises:
        GitFailed: It cannot be removed.
    """
    leaving = f"{folder}{LEAVING}"
    _remove_folder(leaving)
    # Where it cannot be renamed, as a mounted folder, it is removed where it is.
    with suppress(OSError):
        Path(folder).rename(leaving)
    _remove_folder(leaving)
    _remove_folder(folder)


def _remove_folder(folder: str) -> None:
    """Remove a folder, also one whose folders were made read-only; of a link in its place only the link.

    Raises:
        GitFailed: It cannot be removed.
    """
    try:
        if Path(folder).is_symlink() or Path(folder).is_file():
            Path(folder).unlink()
        else:
            shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError:
        try:
            _make_writable(folder)
            shutil.rmtree(folder)
        except OSError as error:
            raise GitFailed(
                f"{folder} cannot be removed: {error.strerror or error}.", hint="Remove it by hand, then call again."
            ) from error


def _make_writable(folder: str) -> None:
    Path(folder).chmod(stat.S_IRWXU)
    for path, names, _ in os.walk(folder):
        # Before the walk goes on into them: it passes over a folder that it cannot open.
        for child in [Path(path, name) for name in names]:
            if not child.is_symlink():
                child.chmod(stat.S_IRWXU)
