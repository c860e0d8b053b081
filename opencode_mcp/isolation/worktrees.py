"""Isolated worktrees: each is a checkout on a branch of its own, in the state folder, for one session.

The record of a worktree (``RECORDS``) is written before git makes anything, so that nothing can be left behind that no
record names. It holds everything that bringing the changes back needs: the project, the branch, and the base, which is
the commit that the worktree began with.

A project may be a folder inside a repository. Git's worktrees hold whole repositories; the run then works in the same
folder of the worktree (``Worktree.directory``).

Rejected: OpenCode's own worktrees (``worktree.create``). They exist in one generation only, begin with ``HEAD`` alone,
cannot be created where the base is the working tree, and leave no record of their base.
"""

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import anyio
from anyio import to_thread

from opencode_mcp.disk.state_folder import prepare_folder, replace_private
from opencode_mcp.errors import GitFailed, InvalidArgument, NotFound
from opencode_mcp.isolation.git import Git, installed_git
from opencode_mcp.isolation.trees import committed, snapshot

FOLDER = "worktrees"
RECORDS = "records"
BRANCHES = "opencode"
"""First part of the branches' names."""
WORKING_TREE = "working_tree"
"""Base: the files of the project as they are, with changes that are not committed."""
HEAD = "HEAD"
MOST_WORDS = 6
MOST_LETTERS = 40


@dataclass(frozen=True, slots=True)
class Worktree:
    """Isolated worktree, as its record has it."""

    name: str
    repository: str
    """Absolute path of the top folder of the person's checkout."""
    folder: str
    """Absolute path of the top folder of the worktree."""
    inside: str
    """Path of the project below both top folders; empty if the project is the whole repository."""
    branch: str
    base: str
    """Commit that the worktree began with."""
    created: float
    """Time in seconds since 1970."""
    from_working_tree: bool = False
    """True if the base contains changes that the person had not committed."""
    session_id: str = ""
    """Session that works there; empty before there is one."""

    @property
    def directory(self) -> str:
        """Return the absolute path of the directory in which the session works."""
        return str(Path(self.folder) / self.inside)

    @property
    def project(self) -> str:
        """Return the absolute path of the project whose copy this is."""
        return str(Path(self.repository) / self.inside)


class Worktrees:
    """Makes, finds and removes isolated worktrees.

    Args:
        state_directory: State folder; worktrees and records are below it.
        environment: Variables for git.
    """

    def __init__(self, state_directory: Path, environment: Mapping[str, str]) -> None:
        self._folder = state_directory / FOLDER
        self._records = self._folder / RECORDS
        self._environment = environment

    def git(self, folder: str) -> Git:
        """Return git in a folder; raises as ``installed_git``."""
        return installed_git(self._environment, folder)

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
        git, inside = await self._repository(project)
        start = await self._start(git, base)
        await to_thread.run_sync(prepare_folder, self._folder)
        await to_thread.run_sync(prepare_folder, self._records)
        name = _name(title)
        made = Worktree(
            name=name,
            repository=git.folder,
            folder=str(self._folder / name),
            inside=inside,
            branch=f"{BRANCHES}/{name}",
            base=start,
            created=time.time(),
            from_working_tree=base == WORKING_TREE,
        )
        await self._write(made)
        try:
            await git.run("worktree", "add", "--quiet", "-b", made.branch, made.folder, start)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self.remove(made, keep_branch=False)
            raise
        return made

    async def assign(self, worktree: Worktree, session_id: str) -> Worktree:
        """Record the session that works in a worktree."""
        assigned = replace(worktree, session_id=session_id)
        await self._write(assigned)
        return assigned

    async def find(self, directory: str) -> Worktree:
        """Return the worktree that a session's directory is in.

        Raises:
            NotFound: It is in none.
        """
        path = Path(directory)
        for worktree in await self.all():
            if path.is_relative_to(worktree.folder):
                return worktree
        raise NotFound(
            f"{directory} is no isolated worktree.", hint="Only a run that was started with isolate=true has one."
        )

    def contains(self, path: Path) -> bool:
        """Return True if a resolved path is in the folder of the worktrees, existing or not."""
        folder = Path(os.path.realpath(self._folder))
        return path.is_relative_to(folder) and path != folder

    def project_of(self, directory: Path) -> str:
        """Return the project of the worktree whose session works in a resolved directory; empty if it is none.

        It reads one small file, and only for a directory in the folder of the worktrees.
        """
        if not self.contains(directory):
            return ""
        name = directory.relative_to(os.path.realpath(self._folder)).parts[0]
        worktree = _read(self._record(name))
        if worktree is None or os.path.realpath(worktree.directory) != str(directory):
            return ""
        return worktree.project

    async def all(self) -> list[Worktree]:
        """Return every worktree that has a record, oldest first; an unreadable record is left out."""
        return await to_thread.run_sync(self.read_all)

    async def remove(self, worktree: Worktree, *, keep_branch: bool) -> None:
        """Remove a worktree with its files and its record; what does not exist any more is no error.

        Raises:
            GitFailed: Its folder cannot be removed. The record stays.
        """
        git = self.git(worktree.repository)
        await git.attempt("worktree", "remove", "--force", worktree.folder)
        if await anyio.Path(worktree.folder).exists():
            await to_thread.run_sync(_remove_folder, worktree.folder)
        await git.attempt("worktree", "prune")
        if not keep_branch:
            await git.attempt("branch", "--quiet", "-D", worktree.branch)
        await anyio.Path(self._record(worktree.name)).unlink(missing_ok=True)

    async def _repository(self, project: str) -> tuple[Git, str]:
        """Return git in the top folder of a project's repository, and the project's path below it."""
        git = self.git(project)
        code, printed, complaint = await git.attempt("rev-parse", "--show-toplevel", "--show-prefix")
        if code:
            raise InvalidArgument(
                f"{project} is in no git repository that can be used ({complaint.strip()}), so no run can be isolated.",
                hint="Run without isolate, or make a repository with `git init` first.",
            )
        top, inside = printed.decode(errors="surrogateescape").splitlines()[:2]
        return git.within(top), inside.rstrip("/")

    async def _start(self, git: Git, base: str) -> str:
        """Return the commit to begin with."""
        has_commit, head, _ = await git.attempt("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        parents = [head.decode().strip()] if has_commit == 0 else []
        if base == WORKING_TREE:
            async with snapshot(git) as seen:
                return await committed(git, seen.tree, "Working tree", *parents)
        if not parents and base == HEAD:
            raise InvalidArgument(
                f"{git.folder} has no commit yet.", hint=f'Commit something, or give base="{WORKING_TREE}".'
            )
        code, commit, _ = await git.attempt(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}"
        )
        if code:
            raise InvalidArgument(
                f"{git.folder} has no branch or commit {base!r}.", hint=f'Give one, or "{HEAD}" or "{WORKING_TREE}".'
            )
        return commit.decode().strip()

    def _record(self, name: str) -> Path:
        return self._records / f"{name}.json"

    async def _write(self, worktree: Worktree) -> None:
        content = json.dumps(asdict(worktree)).encode()
        await to_thread.run_sync(replace_private, self._record(worktree.name), content)

    def read_all(self) -> list[Worktree]:
        """Return the same as ``all``, for callers without an event loop."""
        found = [worktree for path in self._records.glob("*.json") if (worktree := _read(path))]
        return sorted(found, key=lambda worktree: worktree.created)


def _read(record: Path) -> Worktree | None:
    """Return the worktree of a record; None if there is no record that can be read."""
    try:
        return Worktree(**json.loads(record.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _name(title: str) -> str:
    """Return a new name: the first words of a title, and a random end."""
    words = re.findall(r"[a-z0-9]+", title.lower())[:MOST_WORDS]
    return "-".join(["-".join(words)[:MOST_LETTERS].strip("-") or "run", secrets.token_hex(4)])


def _remove_folder(folder: str) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise GitFailed(f"The worktree {folder} cannot be removed: {error.strerror or error}.") from error
