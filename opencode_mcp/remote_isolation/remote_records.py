"""Records of the worktrees that OpenCode has made on another machine.

By its record a worktree is known again: only the directories of records count as worktrees of a listed project. The
records of each OpenCode are in a folder of their own.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import ClassVar

from opencode_mcp.isolation.worktree_records import Records, Worktree
from opencode_mcp.remote_isolation.discarded_patches import DiscardedPatches
from opencode_mcp.remote_isolation.remote_paths import normalized, remote_path

FOLDER = "remote-worktrees"
DIGITS = 16
NAME_END = re.compile(r"-[0-9a-f]{8}")
"""Random end of a worktree's name."""


@dataclass(frozen=True, slots=True)
class RemoteWorktree(Worktree):
    """Isolated worktree on OpenCode's machine. Its folder is empty until OpenCode has said where it is."""

    detached: bool = False
    """True if OpenCode has checked out no branch there; the name of the branch is then only a name."""

    @property
    def directory(self) -> str:
        """Return the absolute path of the directory in which the session works; empty if it is not known."""
        return str(remote_path(self.folder) / self.inside) if self.folder else ""

    @property
    def project(self) -> str:
        """Return the absolute path of the project whose copy this is."""
        return str(remote_path(self.repository) / self.inside)

    @property
    def described(self) -> str:
        """Return words for the worktree and its branch, without an article."""
        if self.detached:
            return f"git worktree on OpenCode's machine, {self.branch}, in which no branch is checked out"
        return f"git worktree on OpenCode's machine, on the branch {self.branch}"

    @property
    def is_remote(self) -> bool:
        """Return True."""
        return True


class RemoteRecords(Records):
    """Reads and writes the records of one OpenCode.

    Args:
        state_directory: State folder of the bridge.
        url: Address of OpenCode.
    """

    kind: ClassVar[type[Worktree]] = RemoteWorktree

    def __init__(self, state_directory: Path, url: str) -> None:
        super().__init__(state_directory)
        self.folder = state_directory / FOLDER
        self._records = self.folder / hashlib.sha256(url.rstrip("/").encode()).hexdigest()[:DIGITS]
        self.patches = DiscardedPatches(self._records)
        """Patches of discarded work."""

    def is_own(self, worktree: Worktree) -> bool:
        """Return True if the folder of a record has the worktree's name, which no other folder has."""
        return not worktree.folder or remote_path(worktree.folder).name == worktree.name

    def any_of(self, project: str) -> bool:
        """Return True if there is a record of a worktree of a project; removed ones count."""
        return any(worktree.project == project for worktree in self.all())

    def at(self, directory: str) -> Worktree | None:
        """Return the worktree that a directory is in; None if it is in none."""
        return self.holding(normalized(remote_path(directory)))

    def names(self, directory: str) -> bool:
        """Return False: OpenCode chooses the folder of its worktrees."""
        del directory
        return False

    def contains(self, path: PurePath) -> bool:
        """Return True if a normalized path is in a worktree that has a record."""
        return self.holding(path) is not None

    def holding(self, path: PurePath) -> Worktree | None:
        """Return the worktree that a normalized path is in; None if it is in none.

        It reads a record only for a part of the path that may be the name of a worktree.
        """
        named = [part for part in path.parts if NAME_END.fullmatch(part[-9:])]
        for part in named:
            worktree = self.read(part)
            if worktree and worktree.folder and path.is_relative_to(remote_path(worktree.folder)):
                return worktree
        return None

    def of_directory(self, directory: PurePath) -> Worktree | None:
        """Return the worktree whose session works in a normalized directory; None if it is none."""
        worktree = self.holding(directory)
        return worktree if worktree and remote_path(worktree.directory) == directory else None
