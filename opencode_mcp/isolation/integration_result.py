"""Result of bringing the work of a worktree back, and the choices of a caller."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from opencode_mcp.isolation.repository.merging import Conflict
from opencode_mcp.isolation.repository.trees import TreeChange


@dataclass(frozen=True, slots=True)
class Integration:
    """Result of bringing changes back."""

    changed: list[TreeChange] = field(default_factory=list[TreeChange])
    """Files of the checkout that were changed, or for ``branch`` those of the work, and for ``discard`` those of the
    work that the checkout lacks."""
    conflicts: list[Conflict] = field(default_factory=list[Conflict])
    """Files with conflicts; if nothing was to be changed then, nothing was."""
    commit: str = ""
    """Commit that was made on the checked-out branch or on the branch of the worktree."""
    undo: str = ""
    """Way to undo it."""
    undo_in: str = ""
    """Folder for a git command that undoes it, if that is not the checkout."""
    left_out: list[str] = field(default_factory=list[str])
    """Files of the worktree that are no part of the work: changed by the setup, or added by a verification."""
    lost: str = ""
    """Sentences on what is not kept of a discarded worktree, and why; empty if all is, or nothing is to be kept."""
    not_kept: list[str] = field(default_factory=list[str])
    """Other repositories in a discarded worktree, whose files are in no commit of it."""
    pending: int = 0
    """Number of files whose changes the checkout lacks, if the worktree was discarded."""
    keeps_branch: bool = False
    """True if a discarded worktree has a branch, which stays."""
    is_brought_back: bool = False
    """True if the worktree was discarded after all its work had been brought to the checkout."""


@dataclass(frozen=True, slots=True)
class IntegrationOptions:
    """Choices of a caller.

    Args:
        message: Message of the commit.
        markers: Whether ``apply`` writes conflict markers into the files that conflict.
        title: Title of the session that the work is of.
        check: Refuses files of the checkout that must not change, by raising; called before anything is changed.
    """

    message: str
    markers: bool = False
    title: str = ""
    check: Callable[[Sequence[str]], None] | None = None

    def check_changes(self, changed: Sequence[TreeChange]) -> None:
        """Refuse changes of files of the checkout; a renamed file counts with both of its names."""
        if self.check:
            self.check(paths_of(changed))


def paths_of(changed: Sequence[TreeChange]) -> list[str]:
    """Return the paths of changed files, sorted; a renamed one has two."""
    return sorted({path for one in changed for path in (one.path, one.old_path) if path})
