"""A stand-in for the OpenCode of another machine that makes worktrees: for faults that the real one does not have."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from opencode_mcp.errors import BackendFailed, InvalidArgument
from opencode_mcp.events.hub import Listener
from opencode_mcp.opencode.http_client.transport import Body
from opencode_mcp.opencode.vocabulary.backend_events import Event, WorktreeReady
from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
from opencode_mcp.opencode.vocabulary.wire.project_objects import NewWorktree, Paths, UncommittedFile, Vcs
from opencode_mcp.remote_isolation.remote_records import RemoteRecords
from opencode_mcp.remote_isolation.remote_worktrees import RemoteWorktrees

URL = "http://far.example:4096"
REPOSITORY = "/home/me/project"
READY = WorktreeReady("")
"""Event that the files of the new worktree are there."""
FOLDER = "/data/opencode/worktree/1"


@dataclass
class FarOpenCode:
    """The calls of the client and of the hub that are used for worktrees."""

    made: list[str] = field(default_factory=list[str])
    """Directories of the worktrees that exist."""
    removed: list[str] = field(default_factory=list[str])
    disposed: list[str] = field(default_factory=list[str])
    missing: int = 0
    """Number of looks at a new worktree in which its files are not there."""
    failure: Exception | None = None
    """Error of the creation; the worktree is made all the same if ``makes`` is True."""
    makes: bool = True
    events: list[Event] = field(default_factory=list[Event])
    """Events that follow a creation; without a directory, they are about the new worktree."""
    branch: str | None = ""
    """Branch that is checked out in worktrees; empty: their own."""
    default_branch: str = "main"
    deletes_branches: bool = True
    refusal: InvalidArgument | None = None
    """Error of a removal."""
    names_branch: bool = True
    """True if the reply to a creation names the branch."""
    diffs: dict[str, list[FileDiff]] = field(default_factory=dict[str, list[FileDiff]])
    git_file: str = ""
    """Content of the file by which git knows a worktree; empty: that of the worktree."""
    listener: Listener = field(default_factory=Listener)

    async def features(self) -> SimpleNamespace:
        """Say whether branches are deleted with their worktrees."""
        return SimpleNamespace(deletes_branches=self.deletes_branches)

    async def path(self, directory: str) -> Paths:
        """Name the repository."""
        return Paths(directory=directory, worktree=REPOSITORY)

    async def worktree_create(self, directory: str, name: str) -> NewWorktree:
        """Make a worktree, with the faults that are set."""
        del directory
        folder = f"{FOLDER}/{name}"
        if self.makes:
            self.made.append(folder)
        for event in self.events:
            about_it = (
                WorktreeReady("", event.failure, reported_directory=folder)
                if isinstance(event, WorktreeReady)
                else event
            )
            self.listener.put(about_it)
        if self.failure:
            raise self.failure
        return NewWorktree(directory=folder, branch=f"opencode/{name}" if self.names_branch else "")

    async def worktrees(self, directory: str) -> list[str]:
        """List the worktrees."""
        del directory
        return list(self.made)

    async def worktree_remove(self, directory: str, worktree: str) -> None:
        """Remove a worktree, which must be there."""
        del directory
        if self.refusal:
            raise self.refusal
        self.made.remove(worktree)
        self.removed.append(worktree)

    async def vcs_status(self, directory: str) -> list[UncommittedFile]:
        """Miss the file of a new worktree for some looks."""
        if directory not in self.made or self.missing == 0:
            return []
        self.missing -= 1
        return [UncommittedFile(file="a.txt", status="deleted")]

    async def vcs(self, directory: str) -> Vcs:
        """Name the branch of a worktree."""
        own = f"opencode/{Path(directory).name}"
        return Vcs(branch=own if self.branch == "" else self.branch, default_branch=self.default_branch)

    async def vcs_diff(self, directory: str, mode: str) -> list[FileDiff]:
        """Return the changes that are set."""
        return self.diffs.get(f"{mode} {directory}", [])

    @asynccontextmanager
    async def file_bytes(self, directory: str, path: str) -> AsyncGenerator[Body]:
        """Give the file by which git knows a worktree; a folder that does not exist has none."""
        assert path == ".git"
        if directory not in self.made:
            raise BackendFailed("No such file.")

        async def chunks() -> AsyncGenerator[bytes]:
            own = f"gitdir: {REPOSITORY}/.git/worktrees/{Path(directory).name}\n"
            yield (self.git_file or own).encode()

        yield Body("application/octet-stream", chunks())

    async def instance_dispose(self, directory: str) -> None:
        """Note the directory."""
        self.disposed.append(directory)

    async def ensure(self) -> None:
        """Do nothing: there is no stream."""

    @contextmanager
    def listen(self, session_id: str) -> Generator[Listener]:
        """Give the one listener."""
        del session_id
        yield self.listener


def worktrees_of(opencode: FarOpenCode, state: Path) -> RemoteWorktrees:
    """Return the worktrees of a bridge that uses this OpenCode."""
    far = cast("Any", opencode)
    return RemoteWorktrees(RemoteRecords(state, URL), far, lambda: far)
