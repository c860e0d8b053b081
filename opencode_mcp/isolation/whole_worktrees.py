"""Find out if the folder of a worktree, and what git knows of it, are still there."""

from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from opencode_mcp.isolation.worktree_records import Worktree
    from opencode_mcp.isolation.worktrees import Worktrees


async def is_whole(worktree: "Worktree") -> bool:
    """Return True if both the files of a worktree and its git directory exist, and neither is a link elsewhere."""
    return await is_folder(worktree.folder) and await is_folder(worktree.files.git_dir)


async def has_folder(worktree: "Worktree") -> bool:
    """Return True if the folder of a worktree exists and has files, with or without what git knows of it."""
    if not await is_folder(worktree.folder):
        return False
    async for path in anyio.Path(worktree.folder).iterdir():
        if path.name != ".git":
            return True
    return await is_whole(worktree)


async def is_folder(name: str) -> bool:
    """Return True if a path is a folder and no link."""
    path = anyio.Path(name)
    return await path.is_dir() and not await path.is_symlink()


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
