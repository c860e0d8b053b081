"""States of the files of a repository that differ from a commit, and what changes between two such states."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyio import to_thread

from opencode_mcp.isolation.repository.status import STATUS
from opencode_mcp.text.outside_text import shorten

if TYPE_CHECKING:
    from opencode_mcp.isolation.repository.git import Git

DIFF = ("diff", "--name-status", "-z", "--no-renames", "--ignore-submodules=all")
STAGED = ("diff-index", "--cached", "--name-only", "-z", "--no-renames", "--ignore-submodules=all")
UNTRACKED = ("ls-files", "-z", "--others", "--exclude-standard")
PATH_CHARACTERS = 200
"""Characters of a path in the result: that is kept in the metadata of the session."""


@dataclass(frozen=True, slots=True)
class FileState:
    """State of a file that differs from the commit."""

    is_new: bool
    """True if the commit does not have it."""
    mark: tuple[int, ...]
    """Size and time of the last change in nanoseconds; empty if it does not exist."""


States = Mapping[str, FileState]
"""Files that differ from the commit, by path."""


@dataclass(frozen=True, slots=True)
class FilesState:
    """State of the files of a repository."""

    head: str
    """Commit that was checked out; empty if there was none."""
    files: States


def as_data(state: FilesState) -> dict[str, Any]:
    """Return a state as JSON data."""
    return {"head": state.head, "files": {path: [one.is_new, *one.mark] for path, one in state.files.items()}}


def from_data(data: Mapping[str, Any]) -> FilesState | None:
    """Return the state that was stored as JSON data; None if it cannot be read."""
    try:
        files = {path: FileState(bool(is_new), tuple(mark)) for path, (is_new, *mark) in data["files"].items()}
        return FilesState(data["head"], files)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def mark_of(path: Path) -> tuple[int, ...]:
    """Return the size of a file and the time of its last change in nanoseconds; nothing if it does not exist."""
    try:
        found = path.lstat()
    except OSError:
        return ()
    return (found.st_size, found.st_mtime_ns)


async def read_state(git: "Git", since: str | None = None) -> FilesState:
    """Return the state of the files.

    Args:
        git: Git in the repository.
        since: The commit to compare with; empty: with nothing; ``None``: with the commit that is checked out.

    Raises:
        GitFailed: Git cannot read the repository.
    """
    head = await git.commit_of("HEAD")
    if since is None or since == head:
        found = {entry[3:]: entry[:2] for entry in await git.paths(*STATUS)}
    else:
        found = await _differences(git, since)
    return FilesState(head, await to_thread.run_sync(_marked, git.work_tree, found))


async def staged_files(git: "Git", head: str) -> frozenset[str]:
    """Return the files that the index has otherwise than a commit has them; raises as ``read_state``.

    Args:
        git: Git in the repository.
        head: The commit.
    """
    return frozenset(await git.paths(*STAGED, head))


async def _differences(git: "Git", since: str) -> dict[str, str]:
    """Return the files that differ from another commit than the present one, with letters as those of git's status."""
    commit = since or await git.line("hash-object", "-t", "tree", "--stdin")
    printed = await git.paths(*DIFF, commit)
    untracked = await git.paths(*UNTRACKED)
    return dict(zip(printed[1::2], printed[::2], strict=True)) | dict.fromkeys(untracked, "?")


def _marked(top: Path, found: Mapping[str, str]) -> States:
    return {path: FileState("?" in letters or "A" in letters, mark_of(top / path)) for path, letters in found.items()}


def changes(before: States, after: States) -> list[str]:
    """Return what is different, as verbs with paths."""
    changed = [path for path in sorted(before.keys() | after.keys()) if before.get(path) != after.get(path)]
    return [_described(path, before.get(path), after.get(path)) for path in changed]


def _described(path: str, before: FileState | None, after: FileState | None) -> str:
    if after is None:
        verb = "restored" if before and not before.is_new else "deleted"
    elif not after.mark:
        verb = "deleted"
    else:
        verb = "added" if before is None and after.is_new else "changed"
    return f"{verb} {shorten(path, PATH_CHARACTERS)}"
