"""Commits on the checked-out branch of a person's checkout that were begun and perhaps not finished.

Git writes the files first, then the index, then the branch. If it is killed on the way, the checkout has a part of the
work. So the commit is recorded before git begins, and the next call takes back what is not finished.
"""

from dataclasses import dataclass
from pathlib import Path

import anyio

from opencode_mcp.errors import GitFailed
from opencode_mcp.isolation.repository.git import LOCK, LOCK_HINT, Git
from opencode_mcp.isolation.repository.kept_commits import UNFINISHED, keep, kept, note_integrated
from opencode_mcp.isolation.repository.restoring import restore
from opencode_mcp.isolation.repository.trees import changes, committed

LOCK_SECONDS = 20.0
"""Seconds to wait for a git that goes on after its bridge was killed."""
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class UnfinishedCommit:
    """A commit that was begun."""

    head: str
    """Commit that the branch had before."""
    made: str
    """Commit that the branch was to have."""
    work: str


async def record_commit(git: Git, worktree: str, made: str, work: str) -> None:
    """Record a commit that git is about to bring to the checkout."""
    await keep(git, worktree, UNFINISHED, await committed(git, made, "Unfinished", made, work))


async def forget_commit(git: Git, worktree: str) -> None:
    """Forget a commit that git has brought to the checkout, or has refused."""
    await keep(git, worktree, UNFINISHED, "")


async def repair(git: Git, worktree: str) -> None:
    """Take back what an earlier call has left of a commit that it could not finish; note a finished one.

    Files that the person has changed since then stay as they are.

    Raises:
        GitFailed: Another git is at work in the checkout, or was killed there.
    """
    begun = await _unfinished(git, worktree)
    if begun is None:
        return
    await _wait_for_lock(git.git_dir / LOCK)
    with anyio.CancelScope(shield=True):
        head = await git.commit_of("HEAD")
        if head == begun.head:
            await _take_back(git, begun)
        elif head == begun.made:
            await note_integrated(git, worktree, begun.work)
        await forget_commit(git, worktree)


async def _unfinished(git: Git, worktree: str) -> UnfinishedCommit | None:
    record = await kept(git, worktree, UNFINISHED)
    if not record:
        return None
    head, made, work = [await git.commit_of(f"{record}{parent}") for parent in ("^1^1", "^1", "^2")]
    return UnfinishedCommit(head, made, work)


async def _take_back(git: Git, begun: UnfinishedCommit) -> None:
    """Make the index and the files of the checkout what they were before the commit was begun."""
    # The index has all entries of the commit or none. What is staged besides stays; git refuses it if they differ.
    await git.attempt("read-tree", "-i", "-m", begun.made, begun.head)
    await restore(git, await changes(git, begun.head, begun.made))


async def _wait_for_lock(lock: Path) -> None:
    deadline = anyio.current_time() + LOCK_SECONDS
    while await anyio.Path(lock).exists():
        if anyio.current_time() > deadline:
            raise GitFailed(
                f"An earlier commit was interrupted, and {lock} exists: git is at work there, or was killed.",
                hint=LOCK_HINT,
            )
        await anyio.sleep(POLL_SECONDS)
