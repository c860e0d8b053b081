"""Decide why git could not keep some work: because of the repository, or because of the files.

If the repository cannot be written, the work is as good as before, so it must not be removed. If an agent has made
files or objects that git cannot read, no later call could keep them either.
"""

import secrets

from opencode_mcp.errors import GitFailed
from opencode_mcp.isolation.repository.git import Git
from opencode_mcp.isolation.repository.kept_commits import ref_of

PROBE = "probe"
PROBE_BYTES = 1 << 16
SIGNS = (
    "No space left on device",
    "Disk quota exceeded",
    "Read-only file system",
    "insufficient permission",
    "unable to write",
    "write error",
    "No temporary folder",
    "did not end within",
)
"""Parts of the messages of failures that are not due to the files."""


async def check_can_keep(git: Git, worktree: str, folder: str, error: GitFailed) -> None:
    """Raise an error if the repository was the reason why work could not be kept.

    Args:
        git: Git for the checkout.
        worktree: Name of the worktree.
        folder: Its folder.
        error: The failure.

    Raises:
        GitFailed: It was.
    """
    if any(sign in error.message for sign in SIGNS) or not await _can_write(git, worktree):
        raise GitFailed(
            f"The work cannot be kept in {git.git_dir}: {error.message} Nothing was removed.",
            hint="Make some space, or let this MCP server write there, and call again. To drop the work, remove "
            f"{folder} first.",
        ) from error


async def _can_write(git: Git, worktree: str) -> bool:
    """Return True if git can write an object, and a ref to it."""
    ref = ref_of(worktree, PROBE)
    try:
        probe = await git.line("hash-object", "-w", "--stdin", text=secrets.token_bytes(PROBE_BYTES))
        await git.run("update-ref", ref, probe)
        await git.run("update-ref", "-d", ref)
    except GitFailed:
        return False
    return True
