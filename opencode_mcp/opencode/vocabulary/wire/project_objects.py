"""Project of a directory: its folders, its branch, its uncommitted files, and new worktrees of it."""

from opencode_mcp.opencode.vocabulary.wire.wire_object import Wire


class Paths(Wire):
    """Answer of ``path.get``."""

    directory: str = ""
    worktree: str = ""
    home: str = ""
    config: str = ""
    """Folder of the user's configuration."""


class Vcs(Wire):
    """Answer of ``vcs.get``."""

    branch: str | None = None
    default_branch: str | None = None


class UncommittedFile(Wire):
    """Entry of ``vcs.status``."""

    file: str = ""
    status: str = ""
    additions: int = 0
    deletions: int = 0


class NewWorktree(Wire):
    """Git worktree that OpenCode has made for a project."""

    directory: str
    branch: str = ""
    """Branch that is checked out there; empty if it is not known."""
    is_ready: bool = False
    """True if its files are there; if not, an event ``WorktreeReady`` reports it."""
