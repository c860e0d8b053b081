"""Sentence on the uncommitted files that isolated worktrees began without."""

from opencode_mcp.text.quantities import quantity


def base_note(whose: str, uncommitted: int) -> str:
    """Return a sentence on what some worktrees began without; empty if that is nothing.

    Args:
        whose: Subject of the sentence, such as ``The worktree of this run``.
        uncommitted: Number of the checkout's uncommitted files.
    """
    if not uncommitted:
        return ""
    return (
        f"{whose} began at the last commit, without {quantity(uncommitted, 'uncommitted file')} of the checkout: "
        'isolate=true with base="working_tree" takes these, too.'
    )
