"""What a failure to send a prompt says about the prompt: whether OpenCode may have it, and whether it refused it.

A prompt that OpenCode may have is followed and never sent again.
"""

from http import HTTPStatus

from opencode_mcp.errors import BackendFailed, BackendTimeout, BackendUnavailable, BridgeError
from opencode_mcp.opencode.codec import is_unreadable
from opencode_mcp.opencode.transport import TOO_LARGE


def may_have_arrived(error: BridgeError) -> bool:
    """Whether OpenCode may have a prompt whose request failed like this.

    It has not where it refused the request (4xx, which is the caller's or the operator's error), does not know the
    route, or was never reached.
    """
    if isinstance(error, BackendUnavailable):
        return error.sent
    return isinstance(error, BackendTimeout | BackendFailed)


def failed_at_it(error: BridgeError) -> bool:
    """Whether OpenCode itself says that it failed at a request; else only its answer is missing or cannot be read."""
    if not isinstance(error, BackendFailed) or is_unreadable(error) or error.kind == TOO_LARGE:
        return False
    return error.status >= HTTPStatus.BAD_REQUEST
