"""Isolated worktrees on another machine, which OpenCode makes and removes (``worktree.create``, ``worktree.remove``).

A record is written before OpenCode is asked. If the answer is lost, OpenCode's list shows whether there is a worktree
with the recorded name, so no second one is made. OpenCode 1 answers before the files are there, and reports that in an
event; a request in the new directory before that would make it work without the project's configuration.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePath

import anyio
from anyio import to_thread

from opencode_mcp.errors import (
    BackendError,
    BackendFailed,
    BackendUnavailable,
    BridgeError,
    CallerError,
    GitFailed,
    InvalidArgument,
    OperatorError,
)
from opencode_mcp.events.hub import EVERYTHING, Hub, Listener
from opencode_mcp.isolation.recorded_worktrees import BRANCHES, HEAD, RecordedWorktrees, new_name
from opencode_mcp.isolation.worktree_records import Worktree
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary.backend_events import Event, Gap, Lost, WorktreeReady
from opencode_mcp.opencode.vocabulary.wire.project_objects import NewWorktree
from opencode_mcp.remote_isolation.remote_paths import remote_path
from opencode_mcp.remote_isolation.remote_records import RemoteRecords, RemoteWorktree

logger = logging.getLogger(__name__)

EVENT_SECONDS = 10.0
"""Time for the event that the files are there; after it, OpenCode is asked."""
FILES_SECONDS = 600.0
"""Longest time for the files of a new worktree."""
READ_INTERVAL_SECONDS = 1.0
LOOKS = 5
"""Looks at OpenCode's list for a worktree whose creation was not confirmed."""
LOOK_INTERVAL_SECONDS = 0.5
REMOVAL_SECONDS = 15.0
"""Time to remove a worktree whose creation failed or was cancelled."""


class RemoteWorktrees(RecordedWorktrees):
    """Makes, finds and removes isolated worktrees on OpenCode's machine.

    Args:
        records: The records of this OpenCode.
        client: Reaches OpenCode.
        hub: Returns the hub of OpenCode's events.
    """

    def __init__(self, records: RemoteRecords, client: OpenCodeClient, hub: Callable[[], Hub]) -> None:
        super().__init__(records)
        self.patches = records.patches
        """Patches of discarded work."""
        self._client = client
        self._hub = hub

    async def check(self, project: str, base: str) -> None:
        """Check that ``create`` can begin; raises as that does."""
        await self._repository(project, base)

    async def create(self, project: str, *, base: str = HEAD, title: str = "") -> Worktree:
        """Create a worktree of a project's repository, through OpenCode, on a new branch.

        Args:
            project: Absolute path of the project.
            base: ``HEAD``: OpenCode offers no other.
            title: Text that the names of the branch and of the folder begin with.

        Raises:
            InvalidArgument: The project is in no git repository, or another base is wanted.
            GitFailed: OpenCode could not write its files; nothing is left behind.
            BackendError: OpenCode failed, or could not be reached.
        """
        repository = await self._repository(project, base)
        uncommitted = len(await self._client.vcs_status(project))
        await to_thread.run_sync(self.records.prepare)
        name = new_name(title)
        inside = remote_path(project).relative_to(repository).as_posix()
        planned = RemoteWorktree(
            name=name,
            repository=str(repository),
            git_dir="",
            common_dir="",
            folder="",
            inside="" if inside == "." else inside,
            branch=f"{BRANCHES}/{name}",
            base="",
            created=time.time(),
            uncommitted=uncommitted,
        )
        await self.write(planned)
        try:
            return await self._made(planned)
        except BaseException as error:
            with anyio.CancelScope(shield=True), anyio.move_on_after(REMOVAL_SECONDS):
                await self._remove_rest(planned, error)
            raise

    async def remove(self, worktree: Worktree, *, keep_branch: bool = False) -> None:
        """Remove a worktree with its files, through OpenCode; one that OpenCode does not list is no error.

        OpenCode 1 deletes the branch that is checked out in the worktree, too. To keep the branch, check out another
        commit there before.

        The record of a session's worktree stays, marked as removed.

        Raises:
            BackendError: OpenCode failed, or could not be reached. The record stays as it is.
        """
        del keep_branch
        if directory := await self.place_of(worktree):
            await self._client.worktree_remove(worktree.project, directory)
        await self.write_removed(worktree)

    async def delete_record(self, worktree: Worktree) -> None:
        """Delete the record of a removed worktree without a session."""
        await to_thread.run_sync(self.records.delete, worktree)

    async def forget(self, directory: str) -> None:
        """Forget the removed worktree of a deleted session, with the patch of its discarded work."""
        worktree = await to_thread.run_sync(self.records.at, directory)
        if worktree and worktree.removed:
            await to_thread.run_sync(self.patches.forget, worktree.name)
            await to_thread.run_sync(self.records.delete, worktree)

    async def is_brought(self, worktree: Worktree) -> bool:
        """Return False: what a person merges over there is not known."""
        del worktree
        return False

    async def place_of(self, worktree: Worktree) -> str:
        """Return the top folder of a worktree as OpenCode lists it; empty if it does not."""
        listed = await self._client.worktrees(worktree.project)
        return next((each for each in listed if remote_path(each).name == worktree.name), "")

    async def _repository(self, project: str, base: str) -> PurePath:
        """Return the top folder of the project's repository, for a worktree with a base."""
        if base != HEAD:
            raise InvalidArgument(
                f"OpenCode runs on another machine, and makes worktrees that begin with {HEAD} only.",
                hint=f"Leave base out, or commit there what the run needs. This call asked for {base!r}.",
            )
        if self.records.at(project):
            raise InvalidArgument(
                f"{project} is an isolated worktree itself.", hint="Give the directory of its project, or no isolate."
            )
        paths = await self._client.path(project)
        repository = remote_path(paths.worktree)
        if not paths.worktree or repository == repository.parent or not remote_path(project).is_relative_to(repository):
            raise InvalidArgument(
                f"{project} is in no git repository that OpenCode can use, so no run can be isolated.",
                hint="Run without isolate, or make a repository there with `git init` first.",
            )
        return repository

    async def _made(self, planned: RemoteWorktree) -> RemoteWorktree:
        """Create a worktree, and return it when its files are there."""
        hub = self._hub()
        await hub.ensure()
        with hub.listen(EVERYTHING) as listener:
            made = await self._confirmed(planned)
            if remote_path(made.directory).name != planned.name:
                raise BackendFailed(f"OpenCode made the worktree {planned.name} under another name: {made.directory}.")
            worktree = replace(planned, folder=made.directory, branch=made.branch or planned.branch)
            await self.write(worktree)
            if not made.is_ready:
                await self._await_files(worktree, listener)
        return worktree if made.branch else await self._with_branch(worktree)

    async def _with_branch(self, worktree: RemoteWorktree) -> RemoteWorktree:
        """Read which branch is checked out in a worktree, where OpenCode has not said it."""
        branch = (await self._client.vcs(worktree.folder)).branch
        found = replace(worktree, branch=branch or worktree.branch, detached=not branch)
        await self.write(found)
        return found

    async def _confirmed(self, planned: RemoteWorktree) -> NewWorktree:
        """Create a worktree; if the answer is lost, look for it."""
        try:
            return await self._client.worktree_create(planned.project, planned.name)
        except BackendError:
            for _ in range(LOOKS):
                if directory := await self.place_of(planned):
                    return NewWorktree(directory=directory)
                await anyio.sleep(LOOK_INTERVAL_SECONDS)
            raise

    async def _await_files(self, worktree: RemoteWorktree, listener: Listener) -> None:
        """Wait until the files of a worktree are there.

        Raises:
            GitFailed: OpenCode could not write them, or not in time.
        """
        with anyio.move_on_after(FILES_SECONDS) as scope:
            if await self._is_reported(worktree, listener):
                return
            await self._await_status(worktree)
            # OpenCode has perhaps opened the directory for that question before the project's configuration was there.
            await self._client.instance_dispose(worktree.folder)
        if scope.cancelled_caught:
            raise GitFailed(f"OpenCode did not write the files of {worktree.folder} within {FILES_SECONDS:.0f} s.")

    async def _await_status(self, worktree: RemoteWorktree) -> None:
        """Read until git misses no file of a worktree."""
        while True:
            found = await self._client.vcs_status(worktree.folder)
            if all(file.status != "deleted" for file in found):
                return
            await anyio.sleep(READ_INTERVAL_SECONDS)

    async def _is_reported(self, worktree: RemoteWorktree, listener: Listener) -> bool:
        """Return True when OpenCode reports that the files are there; False if the report may be lost.

        Raises:
            GitFailed: OpenCode reports that it could not write them.
        """
        deadline = anyio.current_time() + EVENT_SECONDS
        while (left := deadline - anyio.current_time()) > 0:
            for event in await listener.wait(left):
                if isinstance(event, Gap | Lost):
                    return False
                if _is_about(event, worktree):
                    return True
        return False

    async def _remove_rest(self, planned: RemoteWorktree, error: BaseException) -> None:
        """Remove a worktree whose creation has failed or was cancelled; the record of one that may be left stays."""
        try:
            if _was_not_made(error):
                await to_thread.run_sync(self.records.delete, planned)
            elif await self.place_of(planned):
                await self.remove(planned)
        except BridgeError as failure:
            logger.warning("the worktree %s may be left on OpenCode's machine: %s", planned.name, failure)


def _was_not_made(error: BaseException) -> bool:
    """Return True if an error means that OpenCode has certainly made no worktree."""
    was_sent = not isinstance(error, BackendUnavailable) or error.sent
    return isinstance(error, CallerError | OperatorError) or not was_sent


def _is_about(event: Event, worktree: RemoteWorktree) -> bool:
    """Return True if an event reports that the files of a worktree are there.

    Raises:
        GitFailed: It reports that they are not.
    """
    if not isinstance(event, WorktreeReady) or event.place != worktree.folder:
        return False
    if event.failure:
        raise GitFailed(f"OpenCode could not write the files of the worktree: {event.failure}.")
    return True
