"""Sentence on the uncommitted files that isolated worktrees began without."""

from opencode_mcp.text.quantities import quantity


def base_note(whose: str, uncommitted: int, *, is_remote: bool = False) -> str:
    """Return a sentence on what some worktrees began without; empty if that is nothing.

    Args:
        whose: Subject of the sentence, such as ``The worktree of this run``.
        uncommitted: Number of the checkout's uncommitted files.
        is_remote: True if OpenCode has made them, which offers no other base.
    """
    if not uncommitted:
        return ""
    way = "" if is_remote else ': isolate=true with base="working_tree" takes these, too'
    return (
        f"{whose} began at the last commit, without {quantity(uncommitted, 'uncommitted file')} of the checkout{way}."
    )
