"""Git trees of working folders: take one, merge three of them, make a folder's files equal to one.

A *tree* is git's object for the contents of a folder. Everything that comes back from a worktree is computed with
trees, so nothing is changed before the result is known, and git's own merge decides about each file: binary files,
renames, modes, line ends.

The checkout's own index, which holds what a person has staged, is never written. A *scratch index* is used in its
place: a copy, to which the files of the folder are added. Since it holds the marks of the files as they were read, git
refuses to overwrite a file that was changed after that.
"""

import shutil
import tempfile
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio import to_thread

from opencode_mcp.errors import GitFailed
from opencode_mcp.isolation.git import Git

NEW_FILE = frozenset("AR")
"""Changes that create a file."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Contents of a working folder at one time: every file that git does not ignore, committed or not."""

    tree: str
    index: Path
    """Scratch index that holds the tree with the marks of the files."""


@dataclass(frozen=True, slots=True)
class Merge:
    """Result of a merge of three trees."""

    tree: str
    """The merged tree; where there are conflicts, with conflict markers in the files."""
    conflicts: list[str]
    """Paths of the files that could not be merged."""


@dataclass(frozen=True, slots=True)
class TreeChange:
    """One file that differs between two trees."""

    status: str
    """Git's letter: A added, D deleted, M modified, R renamed, T type changed."""
    path: str
    old_path: str = ""
    """Path before a rename; empty for other changes."""


@asynccontextmanager
async def snapshot(git: Git) -> AsyncGenerator[Snapshot]:
    """Take the contents of git's folder; the scratch index exists until the block ends.

    Raises:
        GitFailed: Git cannot read the folder.
    """
    with _scratch_folder() as folder:
        index = folder / "index"
        own = Path(git.folder) / await git.line("rev-parse", "--git-path", "index")
        if await anyio.Path(own).exists():
            # With its time: by that, git knows which files may have changed since it looked at them.
            await to_thread.run_sync(shutil.copy2, own, index)
        await git.run("add", "--all", "--", ":/", index=index)
        yield Snapshot(await git.line("write-tree", index=index), index)


async def committed(git: Git, tree: str, message: str, *parents: str) -> str:
    """Return a new commit of a tree; no branch refers to it."""
    options = [option for parent in parents for option in ("-p", parent)]
    return await git.line("commit-tree", tree, *options, "-m", message)


async def merged(git: Git, *, base: str, ours: str, theirs: str) -> Merge:
    """Merge the changes from ``base`` to ``theirs`` into ``ours``; all three are trees or commits.

    Raises:
        GitFailed: Git is older than 2.38.
    """
    trees = [await git.line("rev-parse", "--verify", f"{name}^{{tree}}") for name in (base, ours, theirs)]
    # Git finds the base of a merge by the commits' parents.
    root = await committed(git, trees[0], "base")
    sides = [await committed(git, tree, "side", root) for tree in trees[1:]]
    arguments = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", *sides)
    code, printed, complaint = await git.attempt(*arguments)
    if code not in {0, 1}:
        raise GitFailed(f"git could not merge: {complaint.strip()}", hint="It must be git 2.38 or newer.")
    tree, *paths = printed.decode(errors="surrogateescape").split("\0")
    return Merge(tree, [path for path in paths if path])


async def changes(git: Git, old: str, new: str) -> list[TreeChange]:
    """Return the files that differ between two trees or commits, with renames found."""
    printed = await git.run("diff-tree", "-r", "-z", "-M", "--name-status", "--no-commit-id", old, new)
    return list(_changes(iter(printed.decode(errors="surrogateescape").split("\0"))))


def _changes(fields: Iterator[str]) -> Iterator[TreeChange]:
    for status in fields:
        if not status:
            return
        if status[0] in "RC":
            old = next(fields)
            yield TreeChange(status[0], next(fields), old)
        else:
            yield TreeChange(status[0], next(fields))


async def write(git: Git, seen: Snapshot, tree: str) -> None:
    """Make the files of git's folder, which are as ``seen``, equal to a tree.

    Files that git ignores stay. If it fails, for example because a file was changed meanwhile or the disk is full, the
    files are as they were.

    Raises:
        GitFailed: Nothing was changed.
    """
    await _check_ignored(git, seen, await changes(git, seen.tree, tree))
    arguments = ("-m", "-u", seen.tree, tree)
    # Git checks every file before it writes the first one, so what fails here has changed nothing.
    await git.run("read-tree", "--dry-run", *arguments, index=seen.index)
    with anyio.CancelScope(shield=True):
        try:
            await git.run("read-tree", *arguments, index=seen.index)
        except GitFailed:
            await _restore(git, seen, tree)
            raise


async def _check_ignored(git: Git, seen: Snapshot, coming: list[TreeChange]) -> None:
    """Refuse changes that would overwrite a file that git ignores, which ``read-tree`` does not refuse.

    Raises:
        GitFailed: There is such a file.
    """
    going = {change.old_path or change.path for change in coming if change.status != "A"}
    for change in coming:
        if change.status in NEW_FILE and (lost := await _overwritten(git, seen, change.path, going)):
            raise GitFailed(
                f"{lost} exists and is ignored by git, so the new {change.path} would overwrite it.",
                hint="Move it away, or keep the work on its branch with how=branch.",
            )


async def _overwritten(git: Git, seen: Snapshot, path: str, going: set[str]) -> str:
    """Return the path of a file outside of the snapshot that a new file would overwrite; empty if there is none."""
    top = Path(git.folder)
    for parent in reversed(Path(path).parents[:-1]):
        found = anyio.Path(top / parent)
        if parent.as_posix() not in going and (await found.is_symlink() or await found.is_file()):
            return parent.as_posix()
    found = anyio.Path(top / path)
    if not await found.is_dir() or await found.is_symlink():
        return path if await found.exists() or await found.is_symlink() else ""
    printed = await git.run("ls-files", "--others", "-z", "--", f":(literal){path}", index=seen.index)
    return printed.decode(errors="surrogateescape").partition("\0")[0]


async def _restore(git: Git, seen: Snapshot, tree: str) -> None:
    """Undo a ``write`` that failed in the middle."""
    for change in await changes(git, seen.tree, tree):
        if change.status in NEW_FILE:
            await _remove_written(git, tree, change.path)
        if change.status != "A":
            # It fails where the disk is full: then the other files are still restored.
            await git.attempt("checkout-index", "--force", "--", change.old_path or change.path, index=seen.index)


async def _remove_written(git: Git, tree: str, path: str) -> None:
    """Remove a file that only the new tree has, if its content is the beginning of what was to be written."""
    file = anyio.Path(git.folder) / path
    code, wanted, _ = await git.attempt("cat-file", "--filters", f"{tree}:{path}")
    if code == 0 and await file.is_file() and wanted.startswith(await file.read_bytes()):
        await file.unlink()


@contextmanager
def _scratch_folder() -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="opencode-mcp-") as folder:
        yield Path(folder)
