"""Bring the changes of an isolated worktree back to the person's checkout.

Each way is computed as a tree first. The checkout is changed in one step at the end, which git refuses if a file has
changed meanwhile; until then, and after a refusal, the checkout is as it was.

The files are compared with the base of the worktree, so what the person has changed since the start of the run is kept:
a change on one side is taken, different changes of the same lines conflict. If work was brought back before, and that
comparison conflicts, only the changes since then are brought.
"""

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from anyio import to_thread

from opencode_mcp.errors import GitFailed, InvalidSetting, NotFound
from opencode_mcp.isolation.apply_and_undo import apply, undo
from opencode_mcp.isolation.commit_and_merge import commit, merge_branch
from opencode_mcp.isolation.integration_result import Integration, IntegrationOptions, paths_of
from opencode_mcp.isolation.isolated_work import checkout_and_work, pending_changes
from opencode_mcp.isolation.left_files import left_paths
from opencode_mcp.isolation.removal.branch_and_discard import discard, keep_branch
from opencode_mcp.isolation.repository.trees import changes
from opencode_mcp.isolation.unfinished.unfinished_commits import repair
from opencode_mcp.isolation.unfinished.unfinished_writes import repair_write
from opencode_mcp.isolation.whole_worktrees import is_folder, is_own_folder
from opencode_mcp.isolation.worktree_records import CheckoutChange

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from opencode_mcp.isolation.integration_ways import How
    from opencode_mcp.isolation.repository.trees import TreeChange
    from opencode_mcp.isolation.worktree_records import Worktree
    from opencode_mcp.isolation.worktrees import Worktrees

logger = logging.getLogger(__name__)

PATHS_KEPT = 1000
CHANGING = frozenset({"apply", "commit", "merge", "undo"})
"""Ways that change files of the checkout."""
WAYS: "Mapping[How, Callable[[Worktrees, Worktree, IntegrationOptions], Awaitable[Integration]]]" = {
    "apply": apply,
    "commit": commit,
    "merge": merge_branch,
    "branch": keep_branch,
    "discard": discard,
    "undo": undo,
}


async def _unusable(worktree: "Worktree") -> NotFound:
    """Return the error for a worktree that git cannot use: its repository was moved, or its own files are gone."""
    if not await is_folder(worktree.common_dir):
        return NotFound(
            f"The repository of the isolated worktree {worktree.branch} is not in {worktree.common_dir} any more, so "
            "git cannot use the worktree.",
            hint=f"Put the repository back there and call again. The files of the worktree stay in {worktree.folder}.",
        )
    return NotFound(
        f"The files of the isolated worktree {worktree.branch} do not exist any more: {worktree.folder}, or what git "
        "knows of it, was removed or replaced, by somebody or by a call that was interrupted.",
        hint='Call opencode_integrate with how="discard": it forgets the worktree, and names the command that brings '
        "back what was left there.",
    )


class Integrator:
    """Brings changes back, one call for a worktree at a time.

    Args:
        worktrees: Knows the worktrees.
    """

    def __init__(self, worktrees: "Worktrees") -> None:
        self._worktrees = worktrees

    async def integrate(self, worktree: "Worktree", how: "How", options: IntegrationOptions) -> Integration:
        """Bring the changes of a worktree back in one of six ways.

        ``apply`` changes the files of the checkout and stages nothing. ``commit`` makes one commit on the checked-out
        branch. ``merge`` merges the branch of the worktree. ``branch`` commits on that branch and removes the worktree.
        ``discard`` removes both. ``undo`` takes the last ``apply`` back.

        Raises:
            InvalidArgument: The checkout or the worktree is in a state that does not allow it; nothing was changed.
            GitFailed: Git refused; the files of the checkout are as they were.
            NotAllowed: ``options.check`` refused a file; nothing was changed.
            NotFound: The worktree was removed.
            SessionBusy: Another call is at work on it.
        """
        async with self._worktrees.alone(worktree) as recorded:
            if how not in {"discard", "undo"}:
                await self.check_whole(recorded)
            now = await self._repaired(recorded, how)
            left_out = [] if how == "undo" else await to_thread.run_sync(left_paths, now)
            begun = time.time()
            done = await WAYS[how](self._worktrees, now, options)
            if how in CHANGING and done.changed:
                await self._note(now, begun, done, options.title, is_undo=how == "undo")
            return replace(done, left_out=left_out)

    async def _repaired(self, worktree: "Worktree", how: "How") -> "Worktree":
        """Take back what a call that was killed has left in the checkout; return the record after that."""
        try:
            worktree = await repair_write(self._worktrees, worktree)
            if git := await self._worktrees.checkout_git(worktree):
                await repair(git, worktree.name)
        except GitFailed as error:
            if how != "discard":
                raise
            logger.warning("%s may have a part of the work: %s", worktree.project, error)
        return worktree

    async def _note(self, worktree: "Worktree", begun: float, done: Integration, title: str, *, is_undo: bool) -> None:
        """Record which files of the checkout were changed, so that it is known whose changes they are."""
        paths = paths_of(done.changed)[:PATHS_KEPT]
        brought = CheckoutChange(begun * 1000, time.time() * 1000, title, paths, is_undo)
        try:
            await self._worktrees.note_brought(worktree, brought)
        except InvalidSetting as error:
            # The work is in the checkout, which is what the caller must learn.
            logger.warning("it is not recorded that work was brought to %s: %s", worktree.project, error)

    async def check_whole(self, worktree: "Worktree") -> None:
        """Refuse a worktree whose files do not exist any more, or were replaced: a run would work elsewhere.

        Raises:
            NotFound: They were removed or replaced.
        """
        if not await is_own_folder(self._worktrees, worktree):
            raise await _unusable(worktree)

    async def changed(self, worktree: "Worktree") -> "list[TreeChange]":
        """Return the changes of a worktree since its base, brought back or not; raises as ``integrate``."""
        async with self._worktrees.alone(worktree) as now:
            await self.check_whole(now)
            git, work = await checkout_and_work(self._worktrees, now)
            return await changes(git, now.base, work)

    async def pending(self, worktree: "Worktree") -> "list[TreeChange]":
        """Return the changes of a worktree that were not brought back; raises as ``integrate``."""
        async with self._worktrees.alone(worktree) as now:
            await self.check_whole(now)
            git, work = await checkout_and_work(self._worktrees, now)
            return await pending_changes(git, now, work)
