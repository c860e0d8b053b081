"""End of the access token of a call: a wait does not outlast it, and its client goes on with the next token."""

import math
import time
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.text.json_values import as_map

if TYPE_CHECKING:
    from opencode_mcp.server.bridge import BridgeContext

USER = "user"
"""Key of the SDK's user in the ASGI scope of a request."""


def token_end_of(ctx: "BridgeContext") -> float:
    """Return when the access token of a call ends, in seconds of anyio's clock; infinite if it has none that does."""
    scope = as_map(getattr(ctx.request_context.request, "scope", None))
    expires_at = getattr(getattr(scope.get(USER), "access_token", None), "expires_at", None)
    if not isinstance(expires_at, int):
        return math.inf
    return anyio.current_time() + expires_at - time.time()
