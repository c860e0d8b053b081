"""Names of the ways to bring the changes of an isolated worktree back, for the listing of the tools."""

from typing import Literal

How = Literal["apply", "commit", "merge", "branch", "discard", "undo"]
