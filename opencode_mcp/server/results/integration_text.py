"""Text and data of the result of bringing isolated work back."""

from typing import TYPE_CHECKING, Any

from opencode_mcp.isolation.integration_ways import How
from opencode_mcp.isolation.repository.kept_commits import DISCARDED_DAYS
from opencode_mcp.text.name_lists import listed
from opencode_mcp.text.outside_text import one_line
from opencode_mcp.text.quantities import quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opencode_mcp.isolation.integration_result import Integration
    from opencode_mcp.isolation.repository.merging import Conflict
    from opencode_mcp.isolation.repository.trees import TreeChange
    from opencode_mcp.isolation.worktree_records import Worktree

MOST_FILES = 100
LEFT_SHOWN = 10
KINDS = {"A": "added", "D": "deleted", "M": "changed", "R": "renamed", "T": "type changed"}
DONE = {
    "apply": "The changes of {branch} are in the files of {project}; nothing is staged or committed.",
    "commit": "The changes of {branch} are one commit on the checked-out branch of {project}.",
    "merge": "{branch} is merged into the checked-out branch of {project}.",
    "branch": "The work is committed on {branch}, and its worktree is removed.",
    "discard": "The worktree and the branch {branch} are removed.",
    "undo": "The last applied changes of {branch} are taken back from {project}.",
}
BRANCH_STAYS = "The worktree {branch} is removed. The branch of this name stays, if there is one."
REMOVING = frozenset({"branch", "discard"})
"""Ways that remove the worktree."""
STAYS = 'The worktree stays. opencode_integrate(session_id="{session}", how="discard") removes it with its branch.'
NOT_IN_PROJECT = {"branch": "Files of the work:", "discard": "Files of the dropped work:"}
"""Headings of the changed files where the checkout does not get them."""
NOT_KEPT = "Removed and not kept, since they were git repositories of their own"
LEFT_OUT = "Left out, since the setup changed them or a verification added them"


def text_of(how: How, worktree: "Worktree", done: "Integration") -> str:
    """Return the result as text for a model."""
    lines = [
        _headline(how, worktree, done),
        *_about_work(worktree, done),
        *_file_lines(how, done),
        _paths_line(LEFT_OUT, done.left_out),
        _undo(how, worktree, done),
        *_next(how, worktree, done),
    ]
    return "\n".join(filter(None, lines))


def _about_work(worktree: "Worktree", done: "Integration") -> list[str]:
    """Return what became of the work besides the changed files; an empty line for what does not apply."""
    brought = f"Its work was brought to {one_line(worktree.project)} before." if done.is_brought_back else ""
    pending = f"The checkout lacks its changes of {quantity(done.pending, 'file')}." if done.pending else ""
    return [done.lost, _paths_line(NOT_KEPT, done.not_kept), brought, pending]


def _file_lines(how: How, done: "Integration") -> list[str]:
    """Return a line for each conflict and each changed file, up to a limit; an empty line for what does not apply."""
    heading = NOT_IN_PROJECT.get(how, "") if done.changed else ""
    conflicts = [f"- conflict: {_conflict(conflict, done)}" for conflict in done.conflicts[:MOST_FILES]]
    changed = [f"- {_described(change)}" for change in done.changed[:MOST_FILES]]
    left = len(done.changed) - MOST_FILES
    return [heading, *conflicts, *changed, f"- and {left} more files" if left > 0 else ""]


def _paths_line(beginning: str, paths: "Sequence[str]") -> str:
    """Return a line that names some paths; empty if there are none."""
    names = listed([one_line(path) for path in paths], LEFT_SHOWN)
    return f"{beginning}: {names}" if names else ""


def _next(how: How, worktree: "Worktree", done: "Integration") -> list[str]:
    """Return how to remove the worktree, unless it is removed, or its work is still to be adapted."""
    is_refused = done.conflicts and not done.changed
    return [] if how in REMOVING or is_refused else [STAYS.format(session=worktree.session_id or worktree.branch)]


def data_of(how: How, worktree: "Worktree", done: "Integration") -> dict[str, Any]:
    """Return the result as structured content."""
    files = [{"path": change.path, "change": KINDS.get(change.status, change.status)} for change in done.changed]
    return {
        "how": how,
        "integrated": not done.conflicts or bool(done.changed),
        "files": files[:MOST_FILES],
        "conflicts": [_path_of(conflict, done) for conflict in done.conflicts[:MOST_FILES]],
        "left_out": done.left_out[:MOST_FILES],
        "commit": done.commit,
        "undo": done.undo,
        "next": " ".join(_next(how, worktree, done)),
    }


def _undo(how: How, worktree: "Worktree", done: "Integration") -> str:
    """Return how to undo the integration; a git command with the folder in which to run it. Empty: there is no way."""
    if not done.undo:
        return ""
    place = f", in {one_line(done.undo_in or worktree.project)}" if done.undo.startswith("git ") else ""
    until = f" within {DISCARDED_DAYS} days" if how == "discard" else ""
    return f"To undo it{until}{place}: {done.undo}"


def _headline(how: How, worktree: "Worktree", done: "Integration") -> str:
    branch, project = worktree.branch, one_line(worktree.project)
    if not done.changed and (reason := _nothing_changed(how, worktree, done)):
        return reason
    text = (BRANCH_STAYS if done.keeps_branch else DONE[how]).format(branch=branch, project=project)
    return f"{text} These files have conflicts, with markers where they are texts:" if done.conflicts else text


def _nothing_changed(how: How, worktree: "Worktree", done: "Integration") -> str:
    """Return why no file was changed; empty if the way was to change none."""
    branch, project = worktree.branch, one_line(worktree.project)
    if done.conflicts:
        return (
            f"Nothing was changed: these files were changed differently in {project} and on {branch}. "
            f"{_step_after_conflicts(how, worktree)}"
        )
    if how in {"apply", "commit", "merge"}:
        return f"{branch} has no changes that were not brought to {project} already."
    return ""


def _step_after_conflicts(how: How, worktree: "Worktree") -> str:
    if how == "undo":
        return "how=undo with markers=true writes conflict markers into the files."
    call = f'opencode_run(session_id="{worktree.session_id}", prompt=...)'
    return f"Have OpenCode adapt the work with {call}, or use how=apply with markers=true."


def _conflict(conflict: "Conflict", done: "Integration") -> str:
    path = one_line(_path_of(conflict, done))
    return f"{path} ({conflict.kind})" if conflict.kind else path


def _path_of(conflict: "Conflict", done: "Integration") -> str:
    """Return the path of a file with a conflict: if nothing was written, without the name of a side."""
    return conflict.path if done.changed else conflict.place


def _described(change: "TreeChange") -> str:
    old = f" from {one_line(change.old_path)}" if change.old_path else ""
    return f"{KINDS.get(change.status, change.status)}: {one_line(change.path)}{old}"
