"""Requests whose replies were lost: OpenCode may have executed them."""

from opencode_mcp.errors import BackendTimeout, BackendUnavailable, BridgeError

MAY_BE_EMPTY = (
    "OpenCode may have made an empty session: opencode_list_sessions lists it, and opencode_delete_session deletes it."
)
"""Hint after a request to create a session."""


def is_reply_lost(error: BridgeError) -> bool:
    """Return True if a request failed because no reply to it arrived, and OpenCode may have received it."""
    return isinstance(error, BackendTimeout) or (isinstance(error, BackendUnavailable) and error.sent)
