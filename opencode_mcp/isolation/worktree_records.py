"""Records of isolated worktrees, one small file for each in the state folder, and the folder of the worktrees.

A record is written before git makes anything, so that nothing can be left behind that no record names. It stays when
the worktree of a session is removed, as long as the session exists: by it, the session still counts as one of the
project.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePath
from typing import Any, ClassVar

from opencode_mcp.disk.private_modes import PRIVATE_FOLDER
from opencode_mcp.disk.state_folder import prepare_folder, replace_private, unusable
from opencode_mcp.isolation.repository.git import Repository

FOLDER = "worktrees"
RECORDS = "records"
NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class CheckoutChange:
    """Files of the person's checkout that were changed when work was brought back, or taken out again."""

    begin: float
    """Time in milliseconds since 1970."""
    end: float
    title: str
    """Title of the session that the work is of."""
    paths: Sequence[str]
    """Paths in the repository."""
    is_undo: bool = False
    """True if the work was taken out again."""


def undone_changes(changes: Sequence[CheckoutChange]) -> set[int]:
    """Return the places of the changes that were taken out again, with those of the undos themselves."""
    undone: set[int] = set()
    for number, change in enumerate(changes):
        if not change.is_undo:
            continue
        undone.add(number)
        for place in reversed(range(number)):
            if place not in undone and set(changes[place].paths) & set(change.paths):
                undone.add(place)
                break
    return undone


@dataclass(frozen=True, slots=True)
class Worktree:
    """Isolated worktree, as its record has it."""

    name: str
    repository: str
    """Absolute path of the top folder of the person's checkout."""
    git_dir: str
    """Absolute path of the git directory of that checkout; empty on another machine."""
    common_dir: str
    """Absolute path of the git directory that all worktrees of the repository share; empty on another machine."""
    folder: str
    """Absolute path of the top folder of the worktree."""
    inside: str
    """Path of the project below both top folders; empty if the project is the whole repository."""
    branch: str
    base: str
    """Commit that the worktree began with; empty on another machine."""
    created: float
    """Time in seconds since 1970."""
    from_working_tree: bool = False
    """True if the base contains changes that the person had not committed."""
    uncommitted: int = 0
    """Number of the checkout's uncommitted files that it began without, if it began with the last commit."""
    session_id: str = ""
    """Session that works there; empty before there is one."""
    removed: bool = False
    """True if the files are removed, and only the session is left."""
    left: Mapping[str, Sequence[int]] = field(default_factory=dict[str, "Sequence[int]"])
    """Files that are no part of the work, by path, with their size and time, or with nothing if they were deleted:
    those that the setup has added, changed or deleted, and those that a verification has added."""
    verifying: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """State of the files before the verification that runs now; see ``left_files.py``."""
    writing: Mapping[str, str] = field(default_factory=dict[str, str])
    """Change of the checkout's files that was begun, and perhaps not finished; see ``unfinished_writes.py``."""
    brought: Sequence[CheckoutChange] = ()
    """Changes of the checkout, oldest first: OpenCode does not know whose they are."""

    @property
    def is_brought(self) -> bool:
        """Return True if work was brought to the checkout and not taken out again, by the record alone."""
        return len(undone_changes(self.brought)) < len(self.brought)

    @property
    def directory(self) -> str:
        """Return the absolute path of the directory in which the session works."""
        return str(Path(self.folder) / self.inside)

    @property
    def project(self) -> str:
        """Return the absolute path of the project whose copy this is."""
        return str(Path(self.repository) / self.inside)

    @property
    def described(self) -> str:
        """Return words for the worktree and its branch, without an article."""
        return f"git worktree, on the branch {self.branch}"

    @property
    def is_remote(self) -> bool:
        """Return True if OpenCode has made it, on another machine."""
        return False

    @property
    def files(self) -> Repository:
        """Return the git directory and the files of the worktree."""
        return Repository(str(Path(self.common_dir) / "worktrees" / self.name), self.folder, self.common_dir)

    @property
    def checkout(self) -> Repository:
        """Return the git directory and the files of the person's checkout."""
        return Repository(self.git_dir, self.repository)


class Records:
    """Reads and writes the records.

    Args:
        state_directory: State folder; worktrees and records are below it.
    """

    kind: ClassVar[type[Worktree]] = Worktree
    """Class of the worktrees."""

    def __init__(self, state_directory: Path) -> None:
        self._state = state_directory
        self.folder = state_directory / FOLDER
        """Folder of the worktrees."""
        self._records = self.folder / RECORDS

    def prepare(self) -> None:
        """Create the folders.

        Raises:
            InvalidSetting: They cannot be used, or others could change them.
        """
        prepare_folder(self._state)
        try:
            self.folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        except OSError as error:
            raise unusable(self.folder, error) from error
        prepare_folder(self._records)

    def write(self, worktree: Worktree) -> None:
        """Write the record of a worktree.

        Raises:
            InvalidSetting: It cannot be written, for example because the disk is full.
        """
        path = self._path(worktree.name)
        try:
            replace_private(path, json.dumps(asdict(worktree)).encode())
        except OSError as error:
            raise unusable(path, error) from error

    def delete(self, worktree: Worktree) -> None:
        """Delete the record of a worktree."""
        for path in (self._path(worktree.name), self._lock_path(worktree), self.writing_file(worktree)):
            path.unlink(missing_ok=True)

    def read(self, name: str) -> Worktree | None:
        """Return the worktree of a record; None if there is no record that can be read."""
        worktree = self._read(name) if NAME.fullmatch(name) else None
        return worktree if worktree and worktree.name == name and self.is_own(worktree) else None

    def is_own(self, worktree: Worktree) -> bool:
        """Return True if a record names its own folder: that is removed one day, so it must not name another one."""
        return worktree.folder == str(self.folder / worktree.name)

    def all(self) -> list[Worktree]:
        """Return every worktree that has a record, oldest first, removed ones included."""
        read = [self.read(path.stem) for path in self._records.glob("*.json")]
        return sorted(filter(None, read), key=lambda worktree: worktree.created)

    def left(self) -> list[Worktree]:
        """Return the worktrees that are there, oldest first."""
        return [one for one in self.all() if not one.removed]

    def any_of(self, project: str) -> bool:
        """Return True if there is a record of a worktree of a project; removed ones count."""
        return any(os.path.realpath(worktree.project) == project for worktree in self.all())

    def at(self, directory: str) -> Worktree | None:
        """Return the worktree that a directory is in; None if it is in none."""
        return self.holding(Path(os.path.realpath(directory)))

    def lock_file(self, worktree: Worktree) -> Path:
        """Return the file whose lock lets one change at a time happen to a worktree; it exists then.

        Raises:
            InvalidSetting: It cannot be made.
        """
        path = self._lock_path(worktree)
        try:
            path.touch()
        except OSError as error:
            raise unusable(path, error) from error
        return path

    def writing_file(self, worktree: Worktree) -> Path:
        """Return the file whose lock is held while git changes the files of the checkout."""
        return self._records / f"{worktree.name}.writing"

    def names(self, directory: str) -> bool:
        """Return True if a path, as it is written, is in the folder of the worktrees."""
        folders = (self.folder, Path(os.path.realpath(self.folder)))
        return any(Path(directory).is_relative_to(folder) for folder in folders)

    def leads_elsewhere(self, directory: str, path: PurePath) -> bool:
        """Return True if a path is in a worktree as it is written, but resolves to a place outside of that worktree."""
        if not self.names(directory):
            return False
        top = Path(os.path.realpath(self.folder))
        folder = self.folder if Path(directory).is_relative_to(self.folder) else top
        return not path.is_relative_to(top.joinpath(*Path(directory).relative_to(folder).parts[:1]))

    def contains(self, path: PurePath) -> bool:
        """Return True if a resolved path is in the folder of the worktrees, existing or not."""
        folder = Path(os.path.realpath(self.folder))
        return path.is_relative_to(folder) and path != folder

    def holding(self, path: PurePath) -> Worktree | None:
        """Return the worktree that a resolved path is in; None if it is in none.

        It reads one small file, and only for a path in the folder of the worktrees.
        """
        if not self.contains(path):
            return None
        return self.read(path.relative_to(os.path.realpath(self.folder)).parts[0])

    def of_directory(self, directory: PurePath) -> Worktree | None:
        """Return the worktree whose session works in a resolved directory; None if it is none."""
        worktree = self.holding(directory)
        if worktree is None or os.path.realpath(worktree.directory) != str(directory):
            return None
        return worktree

    def _lock_path(self, worktree: Worktree) -> Path:
        return self._records / f"{worktree.name}.lock"

    def _path(self, name: str) -> Path:
        return self._records / f"{name}.json"

    def _read(self, name: str) -> Worktree | None:
        try:
            data = json.loads(self._path(name).read_bytes())
            return self.kind(**data | {"brought": [CheckoutChange(**each) for each in data.get("brought", ())]})
        except (OSError, ValueError, TypeError, AttributeError):
            return None
