"""Find the reason why OpenCode reports no changes although there may be some."""

from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import BridgeError
from opencode_mcp.runs.reports import other_sessions
from opencode_mcp.server.access.operations_of_tools import UNCOMMITTED
from opencode_mcp.text.name_lists import listed
from opencode_mcp.text.outside_text import one_line
from opencode_mcp.workspace import missing_git

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.server.bridge import Bridge

NAMES_SHOWN = 5
FILES_NAMED = 20
UNRECORDED = "OpenCode shows no changes."
STATUS_TIMEOUT_SECONDS = 5.0
REPLACED = "\ufffd"
"""Replacement for bytes in a name that are not UTF-8."""


async def why_no_changes(bridge: "Bridge", session: "Session", message_id: str = "") -> str:
    """Return the reason why OpenCode has no changes of a session or a prompt; empty if nothing was changed.

    Args:
        bridge: Reaches OpenCode.
        session: The session.
        message_id: The prompt; empty: all of the session.
    """
    reason = await why_without_git(bridge, session.directory) or await _unnamed(bridge, session.directory)
    named = await other_sessions.files_without_diff(bridge.client, session, message_id)
    if not named:
        return reason
    names = listed([one_line(path) for path in named], FILES_NAMED)
    return f"{reason or UNRECORDED} By its tool calls it changed {names}."


async def why_without_git(bridge: "Bridge", directory: str) -> str:
    """Return the reason why OpenCode sees no branch in a directory; empty if it sees one, or none is checked out."""
    vcs = await bridge.client.vcs(directory)
    if vcs.branch or vcs.default_branch:
        return ""
    if bridge.settings.remote:
        return (
            f"OpenCode sees no branch in {one_line(directory)}: it may not be a git repository, have no branch checked "
            "out, or belong to another user, so that git refuses it."
        )
    reread = (await bridge.client.features()).rereading.hint
    return await missing_git.why_without_git(directory, bridge.settings.environment, reread)


async def _unnamed(bridge: "Bridge", directory: str) -> str:
    """Return a note on file names that are not UTF-8: OpenCode 1.18 reports no changes of a prompt with such a file.

    It is empty if the operator denies reading the list of changed files.
    """
    if bridge.allowed.denies(UNCOMMITTED):
        return ""
    found: list[str] = []
    with anyio.move_on_after(STATUS_TIMEOUT_SECONDS):
        try:
            found = [file.file for file in await bridge.client.vcs_status(directory) if REPLACED in file.file]
        except BridgeError:
            return ""
    if not found:
        return ""
    names = ", ".join(f"`{one_line(name)}`" for name in found[:NAMES_SHOWN])
    return (
        "OpenCode reports no changes. It cannot report those of a prompt if a changed file's name is not UTF-8, and "
        f"the working tree has such names: {names}. opencode_diff without session_id shows the working tree."
    )
