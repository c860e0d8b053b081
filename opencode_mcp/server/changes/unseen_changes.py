"""Changes that OpenCode's list of files lacks: files that it does not show, and what a verification left behind.

OpenCode shows no file of more than 2 MB, none that git ignores although it is committed, and none whose name is not
UTF-8. Git brings them back all the same.
"""

from typing import TYPE_CHECKING

from opencode_mcp.errors import BridgeError, NotFound
from opencode_mcp.server.results.render import without_tools
from opencode_mcp.text.name_lists import listed
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from opencode_mcp.isolation.repository.trees import TreeChange
    from opencode_mcp.isolation.worktree_records import Worktree
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.server.bridge import Bridge

SHOWN_PATHS = 10


def verification_note(bridge: "Bridge", session: "Session") -> str:
    """Return a sentence on what the verification of a session's last run left; empty if it left nothing."""
    notes = bridge.runs.notes.of(session)
    found = [note.verification.result for note in notes if note.verification and note.verification.result]
    if not found or not found[-1].left:
        return ""
    return f"Left by the verification: {listed([one_line(entry) for entry in found[-1].left], SHOWN_PATHS)}."


def worktree_of(bridge: "Bridge", directory: str) -> "Worktree | None":
    """Return the isolated worktree that a session's directory is in; ``None`` if it is in none that exists."""
    worktree = bridge.worktrees.records.at(directory)
    return None if worktree is None or worktree.removed else worktree


def worktrees_of_sessions(bridge: "Bridge") -> "dict[str, Worktree]":
    """Return the isolated worktrees that are there, by the ids of their sessions."""
    return {worktree.session_id: worktree for worktree in bridge.worktrees.left() if worktree.session_id}


async def lost_note(bridge: "Bridge", worktree: "Worktree") -> str:
    """Return sentences on an isolated worktree whose files do not exist any more; empty for others."""
    try:
        await bridge.integrator.check_whole(worktree)
    except NotFound as error:
        return without_tools(f"{error.message} {error.hint}", bridge.unlisted_tools)
    except BridgeError:
        return ""
    return ""


async def unseen_note(bridge: "Bridge", worktree: "Worktree", seen: "AbstractSet[str]") -> str:
    """Return a sentence on the changed files of an isolated worktree that OpenCode does not show; empty if none.

    Args:
        bridge: Compares the worktree with its base.
        worktree: The worktree.
        seen: Paths that OpenCode shows, below the project or the repository.
    """
    try:
        changed = await bridge.integrator.changed(worktree)
    except BridgeError as error:
        return error.message
    unseen = [
        path for change in changed if (path := _path_of(change, worktree)) not in seen and change.path not in seen
    ]
    if not unseen:
        return ""
    paths = listed([*map(one_line, unseen)], SHOWN_PATHS)
    return f"OpenCode does not list these changed files of the worktree here: {paths}."


def _path_of(change: "TreeChange", worktree: "Worktree") -> str:
    """Return the path below the project."""
    return change.path.removeprefix(f"{worktree.inside}/") if worktree.inside else change.path
