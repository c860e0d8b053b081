"""Check the files that isolated work changes in the checkout: they may decide what OpenCode runs and asks."""

from dataclasses import replace
from typing import TYPE_CHECKING

from opencode_mcp.errors import NotAllowed
from opencode_mcp.workspace.configuration.protected_files import decides_what_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opencode_mcp.isolation.worktree_records import Worktree
    from opencode_mcp.opencode.tables.operation_table import Operation
    from opencode_mcp.server.access.allowed_operations import AllowedOperations

PURPOSE = "so that opencode_integrate and opencode_revert change such files"


def check_of(
    allowed: "AllowedOperations", undo: "Operation", worktree: "Worktree"
) -> "Callable[[Sequence[str]], None] | None":
    """Return the check of the files that ``opencode_integrate`` changes; ``None`` if it may change any.

    Args:
        allowed: Decides what is allowed.
        undo: The operation of ``opencode_revert``: what allows it to change such a file allows it here, too.
        worktree: The worktree of the work.
    """
    if allowed.allows_as("execute", undo):
        return None
    project = worktree.inside.replace("\\", "/")

    def check(paths: "Sequence[str]") -> None:
        deciding = next((path for path in paths if decides_what_runs(path, project)), "")
        if deciding:
            raise NotAllowed(
                f"opencode_integrate would change {deciding!r}, which decides what OpenCode runs and asks. Nothing was "
                "changed.",
                hint="Have OpenCode take this change back in the same session and bring the rest, or keep all with "
                f'how="branch". To change {deciding} itself, use an opencode_run without isolate: OpenCode\'s '
                "permission rules apply.",
                by_person=f"change the file by hand, or merge {worktree.branch}",
                remark="No permission is asked for it: a text that misled OpenCode could make it run any program.",
                change=replace(allowed.change_for("execute", undo), purpose=PURPOSE),
            )

    return check
