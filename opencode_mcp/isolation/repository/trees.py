"""Git trees of working folders: take one, and compare two.

A *tree* is git's object for the contents of a folder. Everything that comes back from a worktree is computed with
trees, so nothing is changed before the result is known.

The checkout's own index, which holds what a person has staged, is never written. A *scratch index* is used in its
place: a copy, to which the files of the folder are added. Since it holds the marks of the files as they were read, git
refuses to overwrite a file that was changed after that.
"""

from collections.abc import AsyncGenerator, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread

from opencode_mcp.isolation.repository.filtered_files import filtered_paths
from opencode_mcp.isolation.repository.git import Git
from opencode_mcp.isolation.repository.index_flags import clear_flags, path_of, without_patterns
from opencode_mcp.isolation.repository.other_repositories import OtherRepositories, other_repositories
from opencode_mcp.isolation.repository.scratch import copy_index, scratch_folder

CLOSED = "could not open directory"
"""Part of git's warning about a folder whose files it leaves out."""
SUBMODULE = "160000"
"""Mode of an entry that is the commit of another repository."""
NO_MODE = "000000"
"""Mode of an entry that does not exist."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Contents of a working folder at one time: every file that git does not ignore, committed or not."""

    tree: str
    index: Path
    """Scratch index that holds the tree with the marks of the files."""
    own: Path
    """Copy of the folder's own index, with what is committed or staged."""
    others: OtherRepositories
    """Repositories inside the folder, whose files are not in the tree."""


@dataclass(frozen=True, slots=True)
class TreeChange:
    """One file that differs between two trees."""

    status: str
    """Git's letter: A added, D deleted, M modified, R renamed, T type changed."""
    path: str
    old_path: str = ""
    """Path before a rename; empty for other changes."""
    is_submodule: bool = False
    """True if it is the commit of a submodule, on either side."""
    blob: str = ""
    """Id of the object with its content after the change; empty if it is deleted, or a submodule then."""


@asynccontextmanager
async def snapshot(
    git: Git, *, filtered: bool = True, without: Sequence[str] = (), known: str = "", whole: bool = False
) -> AsyncGenerator[Snapshot]:
    """Take the contents of git's folder; the scratch index exists until the block ends.

    Repositories inside the folder keep the commit that git has of them: looking into them would run what their own
    configuration names.

    Args:
        git: Git for the folder.
        filtered: Whether to take the files that are stored through a filter from the folder, too; otherwise they are
            as the index of the folder has them.
        without: Paths of files that stay as the index of the folder has them, so new ones are left out.
        known: Tree whose files are taken from the folder also if git ignores them; empty: none.
        whole: Whether a folder inside that cannot be opened is an error; git itself leaves its files out.

    Raises:
        GitFailed: Git cannot read the folder.
    """
    with scratch_folder() as folder:
        index, own = folder / "index", folder / "own"
        for copy in (index, own):
            await to_thread.run_sync(copy_index, git.git_dir / "index", copy)
        entries = await clear_flags(git, index)
        others = await other_repositories(git, index, entries)
        complaint = await _add_all(git, index, _left_out(without, others))
        if whole and CLOSED in complaint:
            raise await git.failure("git add failed", complaint)
        if known:
            await _add_known(git, index, known)
        if not filtered:
            await _restore_filtered(git, entries, index, own)
        yield Snapshot(await git.line("write-tree", index=index), index, own, others)


async def readable_tree(git: Git, without: Sequence[str]) -> tuple[str, OtherRepositories]:
    """Return a tree of the files in git's folder that git can read, and the repositories inside.

    A file that it cannot read is as the index of the repository has it; a new one is left out.

    Args:
        git: Git for the folder.
        without: As for ``snapshot``.

    Raises:
        GitFailed: Git cannot read the repository, or stops at one of the files.
    """
    with scratch_folder() as folder:
        index = folder / "index"
        await to_thread.run_sync(copy_index, git.git_dir / "index", index)
        others = await other_repositories(git, index, await clear_flags(git, index))
        await _add_all(git, index, _left_out(without, others), "--ignore-errors", allowed=frozenset({0, 1}))
        return await git.line("write-tree", index=index), others


def _left_out(without: Sequence[str], others: OtherRepositories) -> list[str]:
    """Return the paths that are not read in a folder: some files, and the repositories inside."""
    return [*without, *(path.rstrip("/") for path in (*others.submodules, *others.new))]


async def _add_all(
    git: Git, index: Path, left_out: Sequence[str], *options: str, allowed: AbstractSet[int] = frozenset({0})
) -> str:
    """Add the files of git's folder to an index, except those at some paths, and return git's warnings.

    Args:
        git: Git for the folder.
        index: The index.
        left_out: The paths.
        options: Further options of ``git add``.
        allowed: Exit codes with which git has written the index.

    Raises:
        GitFailed: Git has ended with another one.
    """
    wanted = [":(top)", *(f":(top,exclude,literal){path}" for path in left_out)]
    text = "\0".join(wanted).encode(errors="surrogateescape")
    arguments = ("add", "--all", "--sparse", *options, "--pathspec-from-file=-", "--pathspec-file-nul")
    code, _, complaint = await without_patterns(git).attempt(*arguments, index=index, text=text)
    if code not in allowed:
        raise await git.failure("git add failed", complaint)
    return complaint


async def _add_known(git: Git, index: Path, tree: str) -> None:
    """Add the files of a tree that the folder has, and that git ignores."""
    present = set(await git.paths("ls-files", "-z", index=index))
    missing = [path for path in await git.paths("ls-tree", "-r", "-z", "--name-only", tree) if path not in present]
    found = await to_thread.run_sync(lambda: [path for path in missing if _is_file(git.work_tree / path)])
    if found:
        text = "\0".join(f":(top,literal){path}" for path in found).encode(errors="surrogateescape")
        arguments = ("add", "--force", "--sparse", "--pathspec-from-file=-", "--pathspec-file-nul")
        await without_patterns(git).run(*arguments, index=index, text=text)


def _is_file(path: Path) -> bool:
    return path.is_symlink() or path.is_file()


async def _restore_filtered(git: Git, entries: list[str], index: Path, own: Path) -> None:
    """Give the files that are stored through a filter the entries back that they had in the index."""
    by_path = {path_of(entry): entry for entry in entries}
    found = await filtered_paths(git, list(by_path), own)
    if found:
        text = "".join(f"{by_path[path]}\0" for path in found).encode(errors="surrogateescape")
        await git.run("update-index", "-z", "--index-info", index=index, text=text)


async def committed(git: Git, tree: str, message: str, *parents: str) -> str:
    """Return a new commit of a tree; no branch refers to it."""
    options = [option for parent in parents for option in ("-p", parent)]
    text = (message.strip() or "Work of OpenCode").encode(errors="replace")
    return await git.line("commit-tree", f"{tree}^{{tree}}", *options, "-F", "-", text=text)


async def changes(git: Git, old: str, new: str) -> list[TreeChange]:
    """Return the files that differ between two trees or commits, with renames found."""
    options = ("-r", "-z", "-M", "--raw", "--no-commit-id", "--no-ext-diff", "--no-textconv")
    return list(_changes(iter(await git.paths("diff-tree", *options, old, new))))


def _changes(fields: Iterator[str]) -> Iterator[TreeChange]:
    for head in fields:
        old_mode, new_mode, _, new_id, status = head.removeprefix(":").split(" ")
        is_submodule = SUBMODULE in {old_mode, new_mode}
        blob = "" if new_mode in {SUBMODULE, NO_MODE} else new_id
        first = next(fields)
        if status[0] in "RC":
            yield TreeChange(status[0], next(fields), first, is_submodule, blob)
        else:
            yield TreeChange(status[0], first, "", is_submodule, blob)
