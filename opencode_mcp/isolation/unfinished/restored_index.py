"""Restore the index of a checkout from a copy that was taken before git moved it, if git could not finish."""

import shutil
from pathlib import Path

from anyio import to_thread

from opencode_mcp.isolation.repository.git import LOCK, Git, reason
from opencode_mcp.isolation.repository.scratch import copy_index


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
    earlier, now = await _staged(git, before), await _staged(git)
    after = await _staged_after(git, before, head, made)
    # Git writes all entries of the commit or none. If it wrote none, another change is somebody else's.
    if after == earlier or not (after - earlier <= now and now.isdisjoint(earlier - after)):
        return ""
    if now == after:
        return await to_thread.run_sync(_put_back, before, git.git_dir)
    # Somebody has staged something after that, so that only the entries of the commit are taken back.
    code, _, complaint = await git.attempt("read-tree", "-i", "-m", made, head)
    return reason(complaint) if code else ""


async def _staged(git: Git, index: Path | None = None) -> set[str]:
    """Return the entries of an index; none: the checkout's own."""
    return set(await git.paths("ls-files", "--stage", "-z", index=index))


async def _staged_after(git: Git, before: Path, head: str, made: str) -> set[str]:
    """Return the entries that the index has after git has moved it."""
    after = before.with_name("after")
    await to_thread.run_sync(copy_index, before, after)
    await git.run("read-tree", "-i", "-m", head, made, index=after)
    return await _staged(git, after)


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
