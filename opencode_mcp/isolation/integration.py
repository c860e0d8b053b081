"""Bring the changes of an isolated worktree back to the person's checkout.

Each way is computed as a tree first. The checkout is changed in one step at the end, which git refuses if a file has
changed meanwhile; until then, and after a refusal, the checkout is as it was.

The files are compared with the base of the worktree, so what the person has changed since the start of the run is kept:
a change on one side is taken, different changes of the same lines conflict.
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import GitFailed, InvalidArgument
from opencode_mcp.isolation.git import Git
from opencode_mcp.isolation.trees import Merge, Snapshot, TreeChange, changes, committed, merged, snapshot, write
from opencode_mcp.isolation.ways import How
from opencode_mcp.isolation.worktrees import Worktree, Worktrees

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

KEPT = "refs/opencode-mcp"
"""Refs that keep commits from git's garbage collection: the files before an ``apply``, the work of a ``discard``."""


@dataclass(frozen=True, slots=True)
class Integration:
    """Result of bringing changes back."""

    changed: list[TreeChange] = field(default_factory=list[TreeChange])
    """Files of the checkout that were changed."""
    conflicts: list[str] = field(default_factory=list[str])
    """Files with conflicts; if nothing was to be changed then, nothing was."""
    commit: str = ""
    """Commit that was made on the checked-out branch or on the branch of the worktree."""
    undo: str = ""
    """Way to undo it."""


@dataclass(frozen=True, slots=True)
class IntegrationOptions:
    """Choices of a caller.

    Args:
        message: Message of the commit.
        markers: Whether ``apply`` writes conflict markers into the files that conflict.
    """

    message: str
    markers: bool = False


class Integrator:
    """Brings changes back.

    Args:
        worktrees: Knows the worktrees.
    """

    def __init__(self, worktrees: Worktrees) -> None:
        self._worktrees = worktrees
        self._ways: Mapping[How, Callable[[Worktree, IntegrationOptions], Awaitable[Integration]]] = {
            "apply": self._apply,
            "commit": self._commit,
            "merge": self._merge,
            "branch": self._branch,
            "discard": self._discard,
            "undo": self._undo,
        }

    async def integrate(self, worktree: Worktree, how: How, request: IntegrationOptions) -> Integration:
        """Bring the changes of a worktree back in one of six ways.

        ``apply`` changes the files of the checkout and stages nothing. ``commit`` makes one commit on the checked-out
        branch. ``merge`` merges the branch of the worktree. ``branch`` commits on that branch and removes the worktree.
        ``discard`` removes both. ``undo`` takes an ``apply`` back.

        Raises:
            InvalidArgument: There is nothing to undo, or the base of the branch cannot be merged.
            GitFailed: Git refused; nothing was changed.
        """
        return await self._ways[how](worktree, request)

    async def _work(self, worktree: Worktree) -> str:
        """Return a commit of the worktree's files; its parent is the last commit on the branch."""
        git = self._worktrees.git(worktree.folder)
        async with snapshot(git) as work:
            last = await git.line("rev-parse", "HEAD")
            if work.tree == await git.line("rev-parse", "HEAD^{tree}"):
                return last
            return await committed(git, work.tree, f"Work of {worktree.branch}", last)

    async def _apply(self, worktree: Worktree, request: IntegrationOptions) -> Integration:
        work = await self._work(worktree)
        return await self._bring(worktree, worktree.base, work, markers=request.markers)

    async def _undo(self, worktree: Worktree, request: IntegrationOptions) -> Integration:
        git = self._worktrees.git(worktree.repository)
        before, after = [await _kept(git, worktree, name) for name in ("before", "after")]
        if not before or not after:
            raise InvalidArgument(
                f"No changes of {worktree.branch} were applied.", hint="Only how=apply can be undone like this."
            )
        done = await self._bring(worktree, after, before, markers=request.markers)
        if not done.conflicts:
            await _forget(git, worktree)
        return replace(done, undo='opencode_integrate with how="apply" brings them in again.' if done.changed else "")

    async def _bring(self, worktree: Worktree, base: str, work: str, *, markers: bool) -> Integration:
        """Merge the changes from ``base`` to ``work`` into the files of the checkout."""
        git = self._worktrees.git(worktree.repository)
        async with snapshot(git) as seen:
            merge = await merged(git, base=base, ours=seen.tree, theirs=work)
            if merge.conflicts and not markers:
                return Integration(conflicts=merge.conflicts)
            changed = await changes(git, seen.tree, merge.tree)
            if changed:
                await self._write(git, worktree, seen, merge)
        undo = 'Call opencode_integrate again with how="undo".' if changed else ""
        return Integration(changed, merge.conflicts, undo=undo)

    async def _write(self, git: Git, worktree: Worktree, seen: Snapshot, merge: Merge) -> None:
        """Write a merge into the checkout; keep the files before and after it, for ``undo``."""
        with anyio.CancelScope(shield=True):
            for name, tree in (("before", seen.tree), ("after", merge.tree)):
                await git.run("update-ref", _ref(worktree, name), await committed(git, tree, name))
            try:
                await write(git, seen, merge.tree)
            except GitFailed:
                await _forget(git, worktree)
                raise

    async def _commit(self, worktree: Worktree, request: IntegrationOptions) -> Integration:
        return await self._advance(worktree, worktree.base, await self._work(worktree), request.message)

    async def _merge(self, worktree: Worktree, request: IntegrationOptions) -> Integration:
        if worktree.from_working_tree:
            raise InvalidArgument(
                "The branch begins with changes that were not committed, so it cannot be merged.",
                hint="Use how=apply or how=commit: they bring only what the run has changed.",
            )
        git = self._worktrees.git(worktree.repository)
        work = await self._work(worktree)
        await git.run("update-ref", f"refs/heads/{worktree.branch}", work)
        base = await git.line("merge-base", "HEAD", work)
        return await self._advance(worktree, base, work, request.message, work)

    async def _advance(self, worktree: Worktree, base: str, work: str, message: str, *parents: str) -> Integration:
        """Commit the changes from ``base`` to ``work`` on the checked-out branch."""
        git = self._worktrees.git(worktree.repository)
        head = await git.line("rev-parse", "--verify", "HEAD^{commit}")
        merge = await merged(git, base=base, ours=head, theirs=work)
        if merge.conflicts:
            return Integration(conflicts=merge.conflicts)
        changed = await changes(git, head, merge.tree)
        if not changed:
            return Integration()
        commit = await committed(await git.as_person(), merge.tree, message, head, *parents)
        with anyio.CancelScope(shield=True):
            # Git refuses it if a file that it changes has changes that are not committed.
            await git.run("merge", "--quiet", "--ff-only", commit)
        return Integration(changed, commit=commit, undo=f"git reset --keep {head[:12]}")

    async def _branch(self, worktree: Worktree, request: IntegrationOptions) -> Integration:
        git = self._worktrees.git(worktree.repository)
        work = await self._reworded(worktree, await self._work(worktree), request.message)
        await git.run("update-ref", f"refs/heads/{worktree.branch}", work)
        changed = await changes(git, worktree.base, work)
        await self._worktrees.remove(worktree, keep_branch=True)
        return Integration(changed, commit=work, undo=f"git branch -D {worktree.branch}")

    async def _reworded(self, worktree: Worktree, work: str, message: str) -> str:
        """Return the commit of the work with the caller's message."""
        git = self._worktrees.git(worktree.repository)
        last = await git.line("rev-parse", f"refs/heads/{worktree.branch}")
        return last if work == last else await committed(git, f"{work}^{{tree}}", message, last)

    async def _discard(self, worktree: Worktree, _request: IntegrationOptions) -> Integration:
        git = self._worktrees.git(worktree.repository)
        work = await self._work(worktree)
        changed = await changes(git, worktree.base, work)
        await git.run("update-ref", _ref(worktree, "discarded"), work)
        await self._worktrees.remove(worktree, keep_branch=False)
        return Integration(changed, undo=f"git branch {worktree.branch} {_ref(worktree, 'discarded')}")


def _ref(worktree: Worktree, name: str) -> str:
    return f"{KEPT}/{worktree.name}/{name}"


async def _kept(git: Git, worktree: Worktree, name: str) -> str:
    """Return a commit that was kept; empty if there is none."""
    code, commit, _ = await git.attempt("rev-parse", "--verify", "--quiet", _ref(worktree, name))
    return commit.decode().strip() if code == 0 else ""


async def _forget(git: Git, worktree: Worktree) -> None:
    for name in ("before", "after"):
        await git.attempt("update-ref", "-d", _ref(worktree, name))
