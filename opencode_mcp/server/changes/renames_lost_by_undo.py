"""Finds the files that an undo would lose, since they were renamed.

OpenCode looks for renamed files when it compares the files before and after a step, and then records only the new
names. An undo deletes the files with the new names, and does not bring back those with the old ones.
"""

from typing import TYPE_CHECKING

from opencode_mcp.diffs.diff_merge import merge_diffs
from opencode_mcp.diffs.named_files import possible_paths
from opencode_mcp.errors import BridgeError
from opencode_mcp.runs.reports.other_sessions import work_of_prompt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opencode_mcp.diffs.authorship import SessionWork
    from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.server.bridge import Bridge


async def files_not_brought_back(
    bridge: "Bridge", session: "Session", work: "SessionWork", diffs: "Sequence[Sequence[FileDiff]]"
) -> list[str]:
    """Return the files that some work removed, and that its undo would not bring back.

    Args:
        bridge: Reads the files.
        session: The session.
        work: Its work that would be undone.
        diffs: The diffs of its prompts, the oldest first.
    """
    removed = [diff.file for diff in merge_diffs(diffs) if diff.status == "deleted"]
    lost: list[str] = []
    for file in removed:
        is_recorded = bool(possible_paths(file, session.directory) & work.files)
        if not is_recorded and not await _exists(bridge, session.directory, file):
            lost.append(file)
    return lost


async def files_with_names_used_again(
    bridge: "Bridge", session: "Session", diffs: "Mapping[str, Sequence[FileDiff]]"
) -> list[str]:
    """Return the renamed files that an undo would lose, since later prompts made others of their names.

    OpenCode deletes these, and does not bring back the renamed ones.

    Args:
        bridge: Reads the messages.
        session: The session.
        diffs: The diffs of its prompts, by their ids, the oldest first.
    """
    lost: list[str] = []
    for file, prompt in _made_again(diffs).items():
        work = await work_of_prompt(bridge.client, session, prompt)
        if not possible_paths(file, session.directory) & work.files:
            lost.append(file)
    return lost


def _made_again(diffs: "Mapping[str, Sequence[FileDiff]]") -> dict[str, str]:
    """Return the files that a prompt removed and a later one made again, each with the prompt that removed it."""
    first: dict[str, tuple[str, str]] = {}
    found: dict[str, str] = {}
    for prompt, each in diffs.items():
        for diff in each:
            status, remover = first.setdefault(diff.file, (diff.status, prompt))
            if (status, diff.status) == ("deleted", "added"):
                found[diff.file] = remover
    return found


async def _exists(bridge: "Bridge", directory: str, path: str) -> bool:
    """Return True if a file exists, as after a person has brought it back, and can be read."""
    try:
        relative = await bridge.fence.relative(directory, path)
        async with bridge.files.open(directory, relative):
            return True
    except BridgeError:
        return False
