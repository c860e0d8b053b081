"""Text about a session that is undone from one of its prompts on."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session

UNDONE = "Undone from {message} on: opencode_revert with restore=true brings it back, the next prompt makes it final."


def undone_text(session: "Session") -> str:
    """Return the line about the undone part of a session; empty if nothing is undone."""
    return UNDONE.format(message=session.revert.message_id) if session.revert else ""


def undone_run(session: "Session", message_id: str) -> str:
    """Return a note on a run that is undone; empty if it counts.

    Args:
        session: The session of the run.
        message_id: The run's prompt. The ids of prompts ascend.
    """
    if session.revert is None or message_id < session.revert.message_id:
        return ""
    return f"This run does not count, and the files are as before it. {undone_text(session)}"
