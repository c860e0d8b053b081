"""Restore the index of a checkout from a copy that was taken before git moved it, if git could not finish."""

import shutil
from pathlib import Path

from anyio import to_thread

from opencode_mcp.isolation.repository.git import LOCK, Git
from opencode_mcp.isolation.repository.scratch import copy_index

STAGED = ("ls-files", "--stage", "-z")


async def restore_index(git: Git, before: Path, head: str, made: str) -> str:
    """Make the index of a checkout what it was before git moved it from one commit to another, if git did that.

    What somebody else has staged meanwhile stays.

    Args:
        git: Git for the checkout.
        before: Copy of its index from before.
        head: The commit before.
        made: The commit to which git has perhaps moved the index.

    Returns:
        Why it cannot be restored; empty if it is as it was.
    """
    now = await git.paths(*STAGED)
    if now == await git.paths(*STAGED, index=before):
        return ""
    if now == await _staged_after(git, before, head, made):
        return await to_thread.run_sync(_put_back, before, git.git_dir)
    # Somebody has staged something meanwhile, so that only the entries of the commit are taken back.
    code, _, complaint = await git.attempt("read-tree", "-i", "-m", made, head)
    return complaint.strip() if code else ""


async def _staged_after(git: Git, before: Path, head: str, made: str) -> list[str]:
    """Return the entries that the index has after git has moved it; none if git cannot."""
    after = before.with_name("after")
    await to_thread.run_sync(copy_index, before, after)
    code, _, _ = await git.attempt("read-tree", "-i", "-m", head, made, index=after)
    return [] if code else await git.paths(*STAGED, index=after)


def _put_back(before: Path, git_dir: Path) -> str:
    """Replace the index by a copy, with git's lock held; return why that fails."""
    lock = git_dir / LOCK
    try:
        lock.touch(exist_ok=False)
    except OSError as error:
        return error.strerror or str(error)
    try:
        shutil.copyfile(before, lock)
        shutil.copymode(git_dir / "index", lock)
        lock.replace(git_dir / "index")
    except OSError as error:
        lock.unlink(missing_ok=True)
        return error.strerror or str(error)
    return ""
