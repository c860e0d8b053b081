"""Isolated worktrees as far as their records tell, wherever their files are."""

import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from anyio import to_thread

from opencode_mcp.disk.bridge_locks import hold
from opencode_mcp.errors import NotFound, SessionBusy
from opencode_mcp.isolation.worktree_records import Records, Worktree

HEAD = "HEAD"
WORKING_TREE = "working_tree"
"""Base: the files of the project as they are, with changes that are not committed."""
BRANCHES = "opencode"
"""First part of the branches' names."""
MOST_WORDS = 6
MOST_LETTERS = 40
LOCK_SECONDS = 30.0
"""Seconds to wait for another call that changes the same worktree."""


class RecordedWorktrees(ABC):
    """Makes, finds and removes isolated worktrees.

    Args:
        records: The records of the worktrees.
    """

    def __init__(self, records: Records) -> None:
        self.records = records
        """The records of the worktrees."""

    @abstractmethod
    async def check(self, project: str, base: str) -> None:
        """Check that ``create`` can begin; raises as that does."""

    @abstractmethod
    async def create(self, project: str, *, base: str = HEAD, title: str = "") -> Worktree:
        """Make a worktree of a project's repository, on a new branch.

        Args:
            project: Absolute path of the project.
            base: ``HEAD``, another commit or branch, or ``WORKING_TREE``.
            title: Text that the names of the branch and of the folder begin with.

        Raises:
            InvalidArgument: The project is in no git repository, or there is no such base.
        """

    @abstractmethod
    async def remove(self, worktree: Worktree, *, keep_branch: bool = False) -> None:
        """Remove a worktree with its files; what does not exist any more is no error.

        The record of a session's worktree stays, marked as removed.
        """

    @abstractmethod
    async def delete_record(self, worktree: Worktree) -> None:
        """Delete the record of a removed worktree without a session."""

    @abstractmethod
    async def forget(self, directory: str) -> None:
        """Forget the removed worktree of a deleted session, with all that was kept for it."""

    @abstractmethod
    async def is_brought(self, worktree: Worktree) -> bool:
        """Return True if the person's checkout has work of a worktree, as far as that is known."""

    async def assign(self, worktree: Worktree, session_id: str) -> None:
        """Record the session that works in a worktree."""
        # The preparation has perhaps added to the record since it was read.
        now = await to_thread.run_sync(self.records.read, worktree.name)
        await self.write(replace(now or worktree, session_id=session_id))

    def find(self, name: str) -> Worktree | None:
        """Return the worktree that is there and has a session, a branch or a name; None if there is none."""
        return next((one for one in self.left() if name in {one.session_id, one.branch, one.name} - {""}), None)

    def of(self, directory: str) -> Worktree:
        """Return the worktree that a session's directory is in.

        Raises:
            NotFound: It is in none, or the worktree was removed.
        """
        worktree = self.records.at(directory)
        if worktree is None:
            raise NotFound(
                f"The session works in {directory}, which is no isolated worktree: there is nothing to bring back.",
                hint="Its changes are in that folder already. Only a run that was started with isolate=true has a "
                "worktree.",
            )
        if worktree.removed:
            raise removed_worktree(worktree)
        return worktree

    def left(self, project: str = "") -> list[Worktree]:
        """Return the worktrees that are there, oldest first.

        Args:
            project: Absolute path of the only project; empty: all.
        """
        return [one for one in self.records.left() if project in {"", one.project}]

    @asynccontextmanager
    async def alone(self, worktree: Worktree) -> AsyncGenerator[Worktree]:
        """Hold the lock of a worktree while the block runs, and yield it as its record is then.

        Raises:
            SessionBusy: Another call has held the lock for ``LOCK_SECONDS``.
            NotFound: The worktree was removed.
        """
        async with hold(self.records.lock_file(worktree), timeout=LOCK_SECONDS) as held:
            if not held:
                raise SessionBusy(f"Another call is at work on {worktree.branch}.", hint="Call again in a moment.")
            now = await to_thread.run_sync(self.records.read, worktree.name)
            if now is None or now.removed:
                raise removed_worktree(worktree)
            yield now

    async def write(self, worktree: Worktree) -> None:
        """Write the record of a worktree."""
        await to_thread.run_sync(self.records.write, worktree)

    async def write_removed(self, worktree: Worktree) -> None:
        """Mark the record of a session's worktree as removed; delete one without a session."""
        if worktree.session_id:
            await self.write(replace(worktree, removed=True))
        else:
            await to_thread.run_sync(self.records.delete, worktree)


def removed_worktree(worktree: Worktree) -> NotFound:
    """Return the error for a worktree that was removed."""
    return NotFound(
        f"The isolated worktree {worktree.branch} was removed.",
        hint="Start a new session with opencode_run. opencode_session still shows the conversation.",
    )


def new_name(title: str) -> str:
    """Return a new name: the first plain words of a title, and a random end."""
    words = [word for word in re.split(r"[\W_]+", title.lower()) if word.isascii() and word][:MOST_WORDS]
    return "-".join(["-".join(words)[:MOST_LETTERS].strip("-") or "run", secrets.token_hex(4)])
