"""Sentences on where the changes of an isolated session are, and on how to bring them back."""

from typing import TYPE_CHECKING

from opencode_mcp.text.name_lists import listed
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opencode_mcp.isolation.worktree_records import Worktree


SHOWN_SESSIONS = 5
"""Sessions that are named."""


def integrate_call(worktree: "Worktree", session_id: str) -> str:
    """Return the call that brings the changes of a worktree back, or says how."""
    return f'opencode_integrate(session_id="{session_id}", how="{"merge" if worktree.is_remote else "apply"}")'


def bringing_text(worktree: "Worktree", session_id: str, *, is_brought: bool) -> str:
    """Return a sentence on how to bring the changes of a worktree back.

    Args:
        worktree: The worktree.
        session_id: Its session.
        is_brought: Whether work of it was brought to the checkout.
    """
    does = "says how to bring the changes there." if worktree.is_remote else "brings the changes there."
    if is_brought:
        does = 'brings what it has changed since, and how="undo" takes its work out again.'
    return f"{integrate_call(worktree, session_id)} {does}"


def undo_text(worktree: "Worktree", session_id: str, *, is_brought: bool) -> str:
    """Return a sentence on what an undo in a worktree leaves as it is; the arguments are those of ``bringing_text``."""
    text = f"These are the files of its git worktree, and {one_line(worktree.project)} stays as it is"
    if not is_brought:
        return f"{text}."
    return f'{text}: opencode_integrate(session_id="{session_id}", how="undo") takes its work out of there.'


def elsewhere_text(worktrees: "Iterable[Worktree]") -> str:
    """Return a sentence on the sessions whose isolated work was not brought to the project; empty if there are none."""
    sessions = [worktree.session_id for worktree in worktrees if worktree.session_id and not worktree.is_brought]
    if not sessions:
        return ""
    return (
        f"Work in isolated worktrees is not in it: opencode_diff(session_id=...) of {listed(sessions, SHOWN_SESSIONS)}."
    )


def place_text(worktree: "Worktree", *, is_brought: bool, with_directory: bool = False) -> str:
    """Return a sentence on where the changes of a worktree are.

    Args:
        worktree: The worktree.
        is_brought: Whether work of it was brought to the checkout.
        with_directory: Whether the reader does not know its directory yet.
    """
    project = f"{worktree.project} has work of this session" if is_brought else f"{worktree.project} is unchanged"
    directory = f"{one_line(worktree.directory)}, " if with_directory else ""
    return f"The files are in {directory}a {worktree.described}; {project}."
