"""Undo changes of the files of a person's checkout that git could not finish, one file at a time."""

import os
import secrets
from collections.abc import Set as AbstractSet
from pathlib import Path

import anyio
from anyio import to_thread

from opencode_mcp.errors import GitFailed
from opencode_mcp.isolation.repository.git import Git
from opencode_mcp.isolation.repository.index_flags import not_checked_out
from opencode_mcp.isolation.repository.trees import TreeChange
from opencode_mcp.text.name_lists import listed

READ_AT_ONCE = 100
"""Most files whose contents are in memory at the same time."""
PATHS_SHOWN = 20


async def restored(git: Git, coming: list[TreeChange], error: GitFailed, index: Path | None = None) -> GitFailed:
    """Undo changes as ``restore`` does, and return the error to raise: it names the files that were not restored."""
    return with_files_left(git, await restore(git, coming, index), error)


def with_files_left(git: Git, left: list[str], error: GitFailed) -> GitFailed:
    """Return an error that also names files of the checkout that were not restored; the same one if there are none."""
    if not left:
        return error
    return GitFailed(
        f"{error.message} These files of {git.work_tree} could not be restored: {listed(left, PATHS_SHOWN)}.",
        hint=error.hint or "Let this MCP server write in their folders, and bring them back with git.",
    )


async def restore(
    git: Git, coming: list[TreeChange], index: Path | None = None, absent: AbstractSet[str] = frozenset()
) -> list[str]:
    """Undo changes of files that git could not finish, for example because the disk is full.

    What was written is removed first, since the files before need its space. Every other file that exists stays. If one
    file cannot be restored, the others are. A file that was outside of a sparse checkout does not come back.

    Args:
        git: Git for the checkout.
        coming: The changes, some of which were made.
        index: Index with the files before them; none: the checkout's own.
        absent: Files that did not exist before, besides those that the index says were not checked out.

    Returns:
        The files that could not be restored, with the reason.
    """
    absent = absent | await not_checked_out(git, index)
    untouched = await _untouched(git, coming, index) - absent
    written = [change for change in coming if change.blob and change.path not in untouched]
    left: list[str] = []
    for first in range(0, len(written), READ_AT_ONCE):
        left += await _remove_written(git, written[first : first + READ_AT_ONCE])
    before = {change.old_path or change.path for change in coming if change.status != "A"}
    return left + await _write_missing(git, sorted(before - absent), index)


async def _write_missing(git: Git, before: list[str], index: Path | None) -> list[str]:
    """Write those of some files that do not exist, as an index has them; return those that git could not write."""
    text = "".join(f"{path}\0" for path in before).encode(errors="surrogateescape")
    # Without --force, it writes only what does not exist.
    await git.attempt("checkout-index", "--quiet", "-z", "--stdin", index=index, text=text)
    return await to_thread.run_sync(_missing, git.work_tree, before)


async def is_partly_written(git: Git, coming: list[TreeChange]) -> bool:
    """Return True if git has written only the beginning of a file that changes."""
    written = [change for change in coming if change.blob]
    for first in range(0, len(written), READ_AT_ONCE):
        part = written[first : first + READ_AT_ONCE]
        for change, wanted in zip(part, await _wanted_contents(git, part), strict=False):
            found = await _content(anyio.Path(git.work_tree, change.path))
            if found is not None and found != wanted and wanted.startswith(found):
                return True
    return False


def _missing(top: Path, paths: list[str]) -> list[str]:
    return [path for path in paths if not os.path.lexists(top / path)]


async def _untouched(git: Git, coming: list[TreeChange], index: Path | None) -> set[str]:
    """Return the changed files that are as the index has them, so that git has not written them."""
    code, printed, _ = await git.attempt("diff-files", "-z", "--name-only", index=index)
    if code:
        return set()
    touched = set(printed.decode(errors="surrogateescape").split("\0"))
    return {change.path for change in coming if change.status not in {"A", "R"}} - touched


async def _remove_written(git: Git, coming: list[TreeChange]) -> list[str]:
    """Remove each file whose content is the beginning of what a change gives it; return those that could not be."""
    left: list[str] = []
    for change, wanted in zip(coming, await _wanted_contents(git, coming), strict=False):
        try:
            await _remove_if_written(anyio.Path(git.work_tree), change.path, wanted)
        except OSError as error:
            left.append(f"{change.path} ({error.strerror or error})")
    return left


async def _remove_if_written(top: anyio.Path, path: str, wanted: bytes) -> None:
    written = await _content(top / path)
    if written is not None and wanted.startswith(written):
        await (top / path).unlink()
        await _remove_empty_parents(top / path, top)


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
