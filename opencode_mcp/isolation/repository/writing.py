"""Make the files of a person's checkout equal to a tree, whole or not at all."""

from pathlib import Path

import anyio

from opencode_mcp.errors import GitFailed
from opencode_mcp.isolation.repository.git import Git
from opencode_mcp.isolation.repository.index_flags import without_patterns
from opencode_mcp.isolation.repository.restoring import restored
from opencode_mcp.isolation.repository.trees import Snapshot, TreeChange, changes
from opencode_mcp.isolation.repository.write_checks.writable_folders import check_writable
from opencode_mcp.text.name_lists import listed

PATHS_SHOWN = 5
NEW_FILE = frozenset("AR")
"""Changes that create a file."""


async def write(git: Git, seen: Snapshot, tree: str) -> None:
    """Make the files of git's folder, which are as ``seen``, equal to a tree.

    Files that git ignores stay; those outside of a sparse checkout are written as well. If it fails, for example
    because a file was changed meanwhile or the disk is full, the files are as they were.

    Raises:
        GitFailed: Nothing was changed, except that the message names the files that could not be restored.
    """
    git = without_patterns(git)
    coming = await changes(git, seen.tree, tree)
    await check_untracked(git, coming, seen.index)
    await check_writable(git, coming)
    arguments = ("-m", "-u", seen.tree, tree)
    # Git checks every file before it writes the first one, so what fails here has changed nothing.
    await git.run("read-tree", "--dry-run", *arguments, index=seen.index)
    with anyio.CancelScope(shield=True):
        try:
            await git.run("read-tree", *arguments, index=seen.index)
        except GitFailed as error:
            raise await restored(git, coming, error, seen.index) from error


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
            "Files that the work changes are deleted in the checkout, which is not committed: "
            f"{listed(found, PATHS_SHOWN)}.",
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
