"""Conclusions from a failure to send a prompt: whether OpenCode may have the prompt, and whether it refused it.

A prompt that OpenCode may have is followed and never sent again.
"""

from http import HTTPStatus

from opencode_mcp.errors import BackendFailed, BridgeError
from opencode_mcp.opencode.http_client.codec import TOO_LARGE, is_unreadable
from opencode_mcp.opencode.lost_replies import is_reply_lost


def may_have_arrived(error: BridgeError) -> bool:
    """Return whether OpenCode may have a prompt whose request failed with this error.

    It does not if it refused the request (4xx: the caller's or the operator's error), does not know the route, or was
    never reached.
    """
    return is_reply_lost(error) or isinstance(error, BackendFailed)


def is_reported_failure(error: BridgeError) -> bool:
    """Return whether OpenCode reported that it failed; if not, only its response is missing or cannot be read."""
    if not isinstance(error, BackendFailed) or is_unreadable(error) or error.kind == TOO_LARGE:
        return False
    return error.status >= HTTPStatus.BAD_REQUEST
