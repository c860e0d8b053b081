"""Files of a folder that differ from the last commit, as ``git status`` lists them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opencode_mcp.isolation.repository.git import Git

STATUS = ("status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=all")


async def uncommitted_files(git: "Git") -> int:
    """Return the number of files that differ from the last commit, without ignored ones; 0 if git cannot tell."""
    code, printed, _ = await git.attempt(*STATUS)
    return 0 if code else printed.count(b"\0")
