"""Merge the changes of several prompts, file by file.

Pure. OpenCode 1.18 returns the changes of one prompt and never those of a session (``session.diff`` without a message
is empty). But its patches contain the whole file, so their composition is the exact difference between the first state
and the last. If two patches do not fit together (a binary file, or a file that somebody else changed in between), they
are listed one after another and the counts are their sums: the edits that were made, not the difference.
"""

from collections.abc import Sequence
from functools import reduce

from opencode_mcp.diffs.patches import Edit, Hunk, compose, count, lines_of, parse, write
from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff


def merge_diffs(per_message: Sequence[Sequence[FileDiff]]) -> list[FileDiff]:
    """Merge the changes of a session's prompts.

    Args:
        per_message: The answers of ``session.diff`` for each prompt, oldest first.

    Returns:
        One entry for each file that differs now, in the order of their first change. A file that was created and
        removed again, or restored to its first state, has none.
    """
    changes: dict[str, list[FileDiff]] = {}
    for diffs in per_message:
        for diff in diffs:
            changes.setdefault(diff.file, []).append(diff)
    merged = (_merge_file(steps) for steps in changes.values())
    return [diff for diff in merged if diff is not None]


def _merge_file(steps: Sequence[FileDiff]) -> FileDiff | None:
    if len(steps) == 1:
        return steps[0]
    status = _status_of(steps)
    if not status:
        return None
    edits = _difference(steps)
    if edits is None:
        return _in_a_row(steps, status)
    # Composed changes can remove a line and add the same one again.
    if status == "modified" and lines_of(edits, " -") == lines_of(edits, " +"):
        return None
    return _as_diff(steps[0].file, status, edits)


def _status_of(steps: Sequence[FileDiff]) -> str:
    """Return the status of a file over all steps; empty if it existed neither before nor after."""
    existed, exists = steps[0].status != "added", steps[-1].status != "deleted"
    if existed and exists:
        return "modified"
    if existed:
        return "deleted"
    return "added" if exists else ""


def _difference(steps: Sequence[FileDiff]) -> Sequence[Edit] | None:
    def add(before: Sequence[Edit] | None, after: Sequence[Edit] | None) -> Sequence[Edit] | None:
        return None if before is None or after is None else compose(before, after)

    return reduce(add, map(_over_whole_file, steps))


def _over_whole_file(diff: FileDiff) -> Sequence[Edit] | None:
    """Return the change with every unchanged line of the file; None if the patch does not contain them."""
    patch = parse(diff.patch)
    if not patch.hunks:
        empty = diff.patch and diff.status != "modified" and not diff.additions and not diff.deletions
        return [] if empty else None
    first = patch.hunks[0]
    return first.edits if len(patch.hunks) == 1 and max(first.old_start, first.new_start) <= 1 else None


def _in_a_row(steps: Sequence[FileDiff], status: str) -> FileDiff:
    return FileDiff(
        file=steps[0].file,
        patch="".join(_with_line_end(step.patch) for step in steps if step.patch),
        additions=sum(step.additions for step in steps),
        deletions=sum(step.deletions for step in steps),
        status=status,
    )


def _with_line_end(patch: str) -> str:
    return patch if patch.endswith("\n") else f"{patch}\n"


def _as_diff(file: str, status: str, edits: Sequence[Edit]) -> FileDiff:
    removed, added = count(edits, "-"), count(edits, "+")
    hunk = Hunk(int(status != "added"), int(status != "deleted"), edits)
    patch = f"--- {file}\n+++ {file}\n{write([hunk] if edits else [])}"
    return FileDiff(file=file, patch=patch, additions=added, deletions=removed, status=status)
