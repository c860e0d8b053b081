"""Patches of discarded work on another machine: OpenCode keeps nothing of a worktree that it removes.

They are in the state folder of the bridge, for as long as commits of discarded work are kept on this machine.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from opencode_mcp.disk.state_folder import prepare_folder, replace_private, unusable
from opencode_mcp.isolation.repository.kept_commits import DAY_SECONDS, DISCARDED_DAYS
from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff

LARGEST_BYTES = 5_000_000
MOST_PATCHES = 100
"""Patches of one OpenCode that are kept, the latest."""
SUFFIX = ".patch"
GIT_START = "diff --git "
"""Beginning of a patch that ``git apply`` takes, also where it has no lines, as for an empty file."""
BINARY = "\nBinary files "


@dataclass(frozen=True, slots=True)
class WorkPatch:
    """Changes of a worktree as one patch for ``git apply``."""

    content: bytes = b""
    """Empty if there are no changes that a patch can have, or if they are too large."""
    without: Sequence[str] = field(default_factory=list[str])
    """Paths of the changed files that are not in it."""


def patch_of(diffs: Sequence[FileDiff]) -> WorkPatch:
    """Return the changes of some files as one patch; binary files are left out, and all if they are too large."""
    content = "".join(_with_last_line(diff.patch) for diff in diffs if _is_whole(diff)).encode(errors="surrogateescape")
    if len(content) > LARGEST_BYTES:
        return WorkPatch(without=[diff.file for diff in diffs])
    return WorkPatch(content, [diff.file for diff in diffs if not _is_whole(diff)])


def _is_whole(diff: FileDiff) -> bool:
    """Return True if ``git apply`` can make a change by its patch alone."""
    return diff.patch.startswith(GIT_START) and BINARY not in diff.patch.partition("\n@@")[0]


def _with_last_line(patch: str) -> str:
    """Return a patch whose last line has an end, so that another patch can follow."""
    return patch if patch.endswith("\n") else f"{patch}\n"


class DiscardedPatches:
    """Keeps the patches of one OpenCode.

    Args:
        folder: Folder of the patches.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, name: str, patch: WorkPatch) -> Path | None:
        """Keep the patch of a worktree, and forget old ones; an empty one is not kept.

        Raises:
            InvalidSetting: It cannot be written, for example because the disk is full.
        """
        if not patch.content:
            return None
        prepare_folder(self._folder)
        path = self._folder / f"{name}{SUFFIX}"
        try:
            replace_private(path, patch.content)
            self._forget_old()
        except OSError as error:
            raise unusable(path, error) from error
        return path

    def forget(self, name: str) -> None:
        """Delete the patch of a worktree, if there is one."""
        (self._folder / f"{name}{SUFFIX}").unlink(missing_ok=True)

    def _forget_old(self) -> None:
        latest = sorted(self._folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)
        oldest = time.time() - DISCARDED_DAYS * DAY_SECONDS
        for number, path in enumerate(latest):
            if number >= MOST_PATCHES or path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)
