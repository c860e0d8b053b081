"""Make the files of a person's checkout equal to a tree, whole or not at all."""

import os
import secrets
from pathlib import Path

import anyio

from opencode_mcp.errors import GitFailed
from opencode_mcp.isolation.repository.git import Git
from opencode_mcp.isolation.repository.index_flags import without_patterns
from opencode_mcp.isolation.repository.trees import Snapshot, TreeChange, changes
from opencode_mcp.text.name_lists import listed

SHOWN = 5
NEW_FILE = frozenset("AR")
"""Changes that create a file."""
READ_AT_ONCE = 100
"""Most files whose contents are in memory at the same time."""


async def write(git: Git, seen: Snapshot, tree: str) -> None:
    """Make the files of git's folder, which are as ``seen``, equal to a tree.

    Files that git ignores stay; those outside of a sparse checkout are written as well. If it fails, for example
    because a file was changed meanwhile or the disk is full, the files are as they were.

    Raises:
        GitFailed: Nothing was changed.
    """
    git = without_patterns(git)
    coming = await changes(git, seen.tree, tree)
    await check_untracked(git, coming, seen.index)
    arguments = ("-m", "-u", seen.tree, tree)
    # Git checks every file before it writes the first one, so what fails here has changed nothing.
    await git.run("read-tree", "--dry-run", *arguments, index=seen.index)
    with anyio.CancelScope(shield=True):
        try:
            await git.run("read-tree", *arguments, index=seen.index)
        except GitFailed:
            await restore(git, coming, seen.index)
            raise


async def check_untracked(git: Git, coming: list[TreeChange], index: Path | None = None) -> None:
    """Refuse changes that would overwrite a file that the index does not have, which git itself does not always refuse.

    Args:
        git: Git for the checkout.
        coming: The changes.
        index: Index that has every file except those that git ignores; none: the checkout's own.

    Raises:
        GitFailed: There is such a file.
    """
    what = "ignored by git" if index else "not committed"
    going = {change.old_path or change.path for change in coming if change.status != "A"}
    for change in coming:
        if change.status in NEW_FILE and (lost := await _overwritten(git, index, change.path, going)):
            raise GitFailed(
                f"{lost} exists in the checkout and is {what}, so the new {change.path} would overwrite it.",
                hint="Move it away and call again, or keep the work on its branch with how=branch.",
            )


async def check_deleted(git: Git, coming: list[TreeChange]) -> None:
    """Refuse changes of files that the person has deleted and not committed, which git itself would make.

    Raises:
        GitFailed: There is such a file.
    """
    deleted = set(await git.paths("ls-files", "--deleted", "-z"))
    found = sorted({change.old_path or change.path for change in coming if change.status != "A"} & deleted)
    if found:
        raise GitFailed(
            f"Files that the work changes are deleted in the checkout, which is not committed: {listed(found, SHOWN)}.",
            hint="Commit that or bring them back with `git restore`, and call again; or use how=apply or how=branch.",
        )


async def _overwritten(git: Git, index: Path | None, path: str, going: set[str]) -> str:
    """Return the path of a file without an entry that a new file would overwrite; empty if there is none."""
    return await _file_above(git.work_tree, path, going) or await _file_at(git, index, path)


async def _file_above(top: Path, path: str, going: set[str]) -> str:
    """Return the path of a file in whose place a new file needs a folder, unless that file goes; empty for none."""
    for parent in reversed(Path(path).parents[:-1]):
        found = anyio.Path(top / parent)
        if parent.as_posix() not in going and (await found.is_symlink() or await found.is_file()):
            return parent.as_posix()
    return ""


async def _file_at(git: Git, index: Path | None, path: str) -> str:
    """Return a path if a file is there, or that of a file without an entry in the folder there; empty for none."""
    found = anyio.Path(git.work_tree / path)
    if not await found.is_dir() or await found.is_symlink():
        return path if await found.exists() or await found.is_symlink() else ""
    inside = await git.paths("ls-files", "--others", "-z", "--", f":(literal){path}", index=index)
    return inside[0] if inside else ""


async def restore(git: Git, coming: list[TreeChange], index: Path | None = None) -> None:
    """Undo changes of files that git could not finish, for example because the disk is full.

    What was written is removed first, since the files before need its space. Every other file that exists stays.

    Args:
        git: Git for the checkout.
        coming: The changes, some of which were made.
        index: Index with the files before them; none: the checkout's own.
    """
    written = [change for change in coming if change.blob]
    for first in range(0, len(written), READ_AT_ONCE):
        await _remove_written(git, written[first : first + READ_AT_ONCE])
    before = [change.old_path or change.path for change in coming if change.status != "A"]
    text = "".join(f"{path}\0" for path in before).encode(errors="surrogateescape")
    # Without --force, it writes only what does not exist.
    await git.attempt("checkout-index", "--quiet", "-z", "--stdin", index=index, text=text)


async def _remove_written(git: Git, coming: list[TreeChange]) -> None:
    """Remove each file whose content is the beginning of what a change gives it."""
    top = anyio.Path(git.work_tree)
    for change, wanted in zip(coming, await _wanted_contents(git, coming), strict=False):
        written = await _content(top / change.path)
        if written is not None and wanted.startswith(written):
            await (top / change.path).unlink()
            await _remove_empty_parents(top / change.path, top)


async def _wanted_contents(git: Git, coming: list[TreeChange]) -> list[bytes]:
    """Return what git writes into the file of each change, with one process; nothing if it cannot read all of them."""
    # What git prints has no mark that a file could not contain, except one that nobody can foresee.
    mark = secrets.token_hex(16)
    text = "".join(f"{change.blob} {change.path}\0" for change in coming).encode(errors="surrogateescape")
    _, printed, _ = await git.attempt("cat-file", f"--batch={mark}", "--filters", "-z", text=text)
    found = b"\n".join((b"", printed.removesuffix(b"\n"))).split(f"\n{mark}\n".encode())[1:]
    return found if len(found) == len(coming) else []


async def _remove_empty_parents(file: anyio.Path, top: anyio.Path) -> None:
    """Remove the folders that a file was in up to the first that is not empty: a file may have been in their place."""
    for parent in file.parents:
        if parent == top:
            return
        try:
            await parent.rmdir()
        except OSError:
            return


async def _content(file: anyio.Path) -> bytes | None:
    """Return the content of a file, or the target of a link; None if it is neither."""
    if await file.is_symlink():
        return os.fsencode(await file.readlink())
    return await file.read_bytes() if await file.is_file() else None
