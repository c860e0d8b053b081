"""End of isolated work on another machine: OpenCode can show it and remove it, and cannot bring it back.

The checkout there is changed by a person, or by OpenCode's shell, with the commands that a refusal names.
"""

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from anyio import to_thread

from opencode_mcp.errors import BackendFailed, CallerError, InvalidArgument, NotFound
from opencode_mcp.isolation.integration_result import Integration, IntegrationOptions
from opencode_mcp.isolation.repository.trees import TreeChange
from opencode_mcp.remote_isolation.discarded_patches import patch_of
from opencode_mcp.remote_isolation.remote_paths import remote_path
from opencode_mcp.remote_isolation.remote_records import RemoteWorktree
from opencode_mcp.text.name_lists import listed
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opencode_mcp.isolation.integration_ways import How
    from opencode_mcp.isolation.worktree_records import Worktree
    from opencode_mcp.opencode.client import OpenCodeClient
    from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
    from opencode_mcp.remote_isolation.remote_worktrees import RemoteWorktrees

BRANCH, COMMIT = "branch", "git"
"""OpenCode's modes of comparing: with the default branch, or with the last commit."""
HTML = "text/html"
PATHS_SHOWN = 10
LETTERS = {"added": "A", "deleted": "D"}
"""Git's letters for OpenCode's words; any other change is ``M``."""
NOT_IN_PATCH = "Not kept, since they are binary or the patch would be too large"
COMMITS_LOST = "Commits on the branch are not kept: OpenCode knows no default branch to compare them with."
HIDDEN_LOST = "Files that OpenCode does not show, such as those that git ignores or of more than 2 MB, are not kept."
WAY_BACK = "copy {path} from the machine of this MCP server to OpenCode's, and run `git -C {repository} apply` with it."
NO_UNDO = "OpenCode runs on another machine: this MCP server has brought nothing back there."
GONE = (
    "On OpenCode's machine, the worktree {folder} is gone, or something else is in its place: git does not know that "
    "folder as {name}. Nothing was done."
)
PRUNE = (
    "If there is a link at {folder}, remove only the link, without a slash at its end; move a folder away. Then run "
    '`git -C {repository} worktree prune` there, and call opencode_integrate(session_id="{session}", how="discard"), '
    "which forgets the worktree. Commits on the branch {branch} stay."
)
PRUNED = "If git still lists it there: `git -C {repository} worktree prune`."
GIT_FILE = ".git"
"""File in the top folder of a worktree that names its git directory."""
MAKE_BRANCH = "git -C {folder} checkout -B {branch} && "
COMMIT_WORK = "git -C {folder} add --all && git -C {folder} commit -m {message}"
THEN: "Mapping[How, str]" = {
    "apply": "git -C {repository} merge --squash {branch}",
    "commit": "git -C {repository} merge --squash {branch} && git -C {repository} commit -m {message}",
    "merge": "git -C {repository} merge {branch}",
    "branch": "git -C {repository} worktree remove {folder}",
}
"""Commands that do on OpenCode's machine what the bridge cannot do there, once the work is committed."""


class RemoteIntegrator:
    """Ends isolated work, one call for a worktree at a time.

    Args:
        worktrees: Knows the worktrees.
        client: Reaches OpenCode.
    """

    def __init__(self, worktrees: "RemoteWorktrees", client: "OpenCodeClient") -> None:
        self._worktrees = worktrees
        self._client = client

    async def integrate(self, worktree: "Worktree", how: "How", options: IntegrationOptions) -> Integration:
        """End isolated work, as far as OpenCode can.

        ``discard`` removes the worktree; OpenCode 1 deletes its branch, too. ``branch`` forgets a worktree that was
        removed over there. All else is refused, with the commands that do the same on OpenCode's machine.

        Raises:
            InvalidArgument: OpenCode cannot do it, or another branch than that of the worktree is checked out there.
            NotFound: The worktree was removed.
            SessionBusy: Another call is at work on it.
            BackendError: OpenCode failed, or could not be reached. Nothing was removed.
        """
        async with self._worktrees.alone(worktree) as now:
            place = await self._worktrees.place_of(now)
            # The record of a worktree whose creation was not confirmed has no folder.
            found = replace(now, folder=now.folder or place)
            if how == "undo":
                raise InvalidArgument(NO_UNDO)
            if place:
                await self.check_whole(found)
            if place and how != "discard":
                await self._check_branch(found)
                raise _refused(found, how, options.message)
            if place:
                return await self._discard(found)
            if how in {"apply", "commit", "merge"}:
                raise _removed_there(found)
            await self._worktrees.remove(now)
            # It was removed by somebody over there, perhaps with its branch.
            return Integration(keeps_branch=True, lost=PRUNED.format(repository=shlex.quote(now.repository)))

    async def check_whole(self, worktree: "Worktree") -> None:
        """Refuse a worktree whose folder is gone or replaced: git would find another repository there, or none.

        OpenCode does not notice that; it answers from what it knew when it opened the directory.

        Raises:
            NotFound: Git does not know the folder as this worktree.
            BackendError: OpenCode could not be reached.
        """
        if not await self._is_whole(worktree):
            gone = GONE.format(folder=worktree.folder, name=worktree.name)
            raise NotFound(gone, hint=_by_hand(worktree))

    async def _is_whole(self, worktree: "Worktree") -> bool:
        """Return True if the folder of a worktree has the file by which git knows it."""
        try:
            async with self._client.file_bytes(worktree.folder, GIT_FILE) as body:
                if body.media_type == HTML:
                    # An OpenCode without this route answers with a page: then nothing is known.
                    return True
                content = await anext(body.chunks, b"")
        except (BackendFailed, CallerError):
            return False
        return remote_path(content.decode(errors="replace").strip()).name == worktree.name

    async def changed(self, worktree: "Worktree") -> list[TreeChange]:
        """Return what ``pending`` does: OpenCode does not know where the worktree began."""
        return await self.pending(worktree)

    async def pending(self, worktree: "Worktree") -> list[TreeChange]:
        """Return the changes of a worktree that the checkout lacks, as far as OpenCode tells.

        They are compared with the default branch; if OpenCode knows none, with the last commit. A change that the
        checkout has, committed on its branch or not, is left out.

        Raises:
            BackendError: OpenCode failed, or could not be reached.
        """
        return _tree_changes(await self._pending_diffs(worktree, await self._mode(worktree)))

    async def _mode(self, worktree: "Worktree") -> str:
        """Return with what OpenCode can compare a worktree: the default branch, if it knows one, or the last commit."""
        return BRANCH if (await self._client.vcs(worktree.folder)).default_branch else COMMIT

    async def _pending_diffs(self, worktree: "Worktree", mode: str) -> "list[FileDiff]":
        found = await self._client.vcs_diff(worktree.directory, mode)
        there = await self._patches(worktree.project, (COMMIT, mode))
        return [diff for diff in found if (diff.file, diff.patch) not in there]

    async def _patches(self, directory: str, modes: "Sequence[str]") -> set[tuple[str, str]]:
        """Return the files that are changed in a directory, with their patches, compared in some ways.

        A change without a patch, such as that of a binary file, is left out, since it cannot be compared.
        """
        found: set[tuple[str, str]] = set()
        for mode in dict.fromkeys(modes):
            diffs = await self._client.vcs_diff(directory, mode)
            found |= {(diff.file, diff.patch) for diff in diffs if diff.patch}
        return found

    async def _discard(self, worktree: "Worktree") -> Integration:
        is_deleted = await self._is_branch_deleted(worktree)
        mode = await self._mode(worktree)
        diffs = await self._pending_diffs(worktree, mode)
        patch = patch_of(diffs)
        path = await to_thread.run_sync(self._worktrees.patches.keep, worktree.name, patch)
        try:
            await self._worktrees.remove(worktree)
        except InvalidArgument as error:
            error.hint = _by_hand(worktree)
            raise
        without = listed([one_line(file) for file in patch.without], PATHS_SHOWN)
        lost = [
            f"{NOT_IN_PATCH}: {without}." if without else "",
            COMMITS_LOST if is_deleted and mode == COMMIT else "",
            HIDDEN_LOST if diffs else "",
        ]
        return Integration(
            _tree_changes(diffs),
            undo=WAY_BACK.format(path=path, repository=shlex.quote(worktree.repository)) if path else "",
            lost=" ".join(filter(None, lost)),
            keeps_branch=not is_deleted,
        )

    async def _check_branch(self, worktree: "Worktree") -> None:
        """Refuse to name commands that would commit the work on another branch, or on none.

        Raises:
            InvalidArgument: The branch of the worktree is not checked out there.
        """
        if _is_detached(worktree):
            return
        branch = await self._checked_out(worktree)
        if branch != worktree.branch:
            found = f"The branch {branch}" if branch else "No branch"
            raise InvalidArgument(
                f"{found} is checked out in the worktree, so the work would not be committed on {worktree.branch}.",
                hint=f"Have OpenCode bring the work to {worktree.branch} and check it out there, then call again.",
            )

    async def _checked_out(self, worktree: "Worktree") -> str | None:
        """Return the branch that is checked out in a worktree; ``None`` or empty if there is none."""
        # OpenCode 1 looks for the branch when it opens a directory, and may miss a later change.
        await self._client.instance_dispose(worktree.folder)
        return (await self._client.vcs(worktree.folder)).branch

    async def _is_branch_deleted(self, worktree: "Worktree") -> bool:
        """Return True if OpenCode deletes the branch of a worktree with it; False if the branch stays.

        Raises:
            InvalidArgument: OpenCode would delete another branch, which is checked out there.
        """
        if not (await self._client.features()).deletes_branches:
            return False
        branch = await self._checked_out(worktree)
        if branch and branch != worktree.branch:
            raise InvalidArgument(
                f"The branch {branch} is checked out in the worktree, and OpenCode would delete it with the worktree.",
                hint=f"Have OpenCode check out {worktree.branch} there, then call again.",
            )
        return bool(branch)


def _tree_changes(diffs: "Sequence[FileDiff]") -> list[TreeChange]:
    """Return the changes of files in git's words."""
    return [TreeChange(LETTERS.get(diff.status, "M"), diff.file) for diff in diffs]


def _by_hand(worktree: "Worktree") -> str:
    """Return how a person gets rid of a worktree whose folder is gone or replaced."""
    return PRUNE.format(
        folder=worktree.folder,
        repository=shlex.quote(worktree.repository),
        session=worktree.session_id or worktree.branch,
        branch=worktree.branch,
    )


def _is_detached(worktree: "Worktree") -> bool:
    """Return True if OpenCode made the worktree without a branch."""
    return isinstance(worktree, RemoteWorktree) and worktree.detached


def _refused(worktree: "Worktree", how: "How", message: str) -> InvalidArgument:
    """Return the refusal of a way that OpenCode does not offer, with what a person can do on its machine."""
    begin = MAKE_BRANCH if _is_detached(worktree) else ""
    command = f"{begin}{COMMIT_WORK}; {THEN[how]}".format(
        folder=shlex.quote(worktree.folder),
        repository=shlex.quote(worktree.repository),
        branch=shlex.quote(worktree.branch),
        message=shlex.quote(message),
    )
    again = " Then call this again: it forgets the worktree." if how == "branch" else ""
    return InvalidArgument(
        f"OpenCode runs on another machine, where this MCP server cannot use git. Nothing was changed: the work is in "
        f"{worktree.folder}. On that machine, this brings it to the branch {worktree.branch} and does the rest: "
        f"`{command}`.{again}",
        hint="A person can run it there. opencode_shell can run it, too, if it is listed.",
    )


def _removed_there(worktree: "Worktree") -> InvalidArgument:
    return InvalidArgument(
        f"The worktree {worktree.folder} does not exist any more on OpenCode's machine.",
        hint='Call opencode_integrate with how="branch", which forgets it.',
    )
