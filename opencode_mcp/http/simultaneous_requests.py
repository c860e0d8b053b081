"""Limit of the requests and streams that a principal has open at once, so that it cannot take all connections."""

import logging
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opencode_mcp.http.failure_rate_limit import FailureRateLimit
from opencode_mcp.http.web.not_served import refuse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

logger = logging.getLogger(__name__)

SHARE_OF_ONE = 4
"""A principal may use one connection of so many."""
LEAST_OF_ONE = 8
"""Requests that a principal may have open in any case."""
SHARE_KEPT_BACK = 10
"""One connection of so many is kept back for new clients, and for those who check the health."""
LEAST_KEPT_BACK = 8
TOO_MANY = (
    "{whose} has {number} requests and streams open, which is the limit. Nothing was started. Try again when one of "
    "them has ended."
)


class SimultaneousRequests:
    """Counts the open requests of each principal.

    Args:
        connections: Limit of the connections of the bridge.
    """

    def __init__(self, connections: int) -> None:
        self._most_of_one = max(connections // SHARE_OF_ONE, LEAST_OF_ONE)
        self._most = connections - max(connections // SHARE_KEPT_BACK, LEAST_KEPT_BACK)
        self._open: Counter[str] = Counter()
        self._refused = FailureRateLimit(attempts=1)
        """By principal: one of its refused requests is logged in a minute."""
        self._closed = ""

    async def serve(self, principal: str, app: "ASGIApp", scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Serve a request, or answer it with an error if it is one too many.

        Args:
            principal: Name of the principal; empty if everybody is served without authentication.
            app: Serves the request.
            scope: The request, with the next two arguments.
            receive: Returns its messages.
            send: Sends the messages of its response.
        """
        with self.counted(principal) as refusal:
            if refusal:
                await refuse(refusal, scope, receive, send)
            else:
                await app(scope, receive, send)

    def close(self, reason: str) -> None:
        """Refuse every further request.

        Args:
            reason: Sentences for the clients.
        """
        self._closed = reason

    @contextmanager
    def counted(self, principal: str) -> Generator[str]:
        """Count a request while the block serves it; yield why it must be refused, empty if it may be served."""
        if self._closed:
            yield self._closed
            return
        if reason := self._reason(principal):
            if not self._refused.add(principal):
                logger.warning("requests of %s are refused: %s", principal or "all clients", reason)
            yield reason
            return
        self._open[principal] += 1
        try:
            yield ""
        finally:
            self._open[principal] -= 1
            if not self._open[principal]:
                del self._open[principal]

    def _reason(self, principal: str) -> str:
        if self._open.total() >= self._most:
            return TOO_MANY.format(whose="This bridge", number=self._most)
        if principal and self._open[principal] >= self._most_of_one:
            return TOO_MANY.format(whose="This principal", number=self._most_of_one)
        return ""
