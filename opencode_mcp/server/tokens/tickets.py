"""Tickets for one use, so that an answer that a client sends again has no second effect."""

import secrets

from opencode_mcp.bounded_dict import BoundedDict

KEPT_TICKETS = 1000
"""Number of valid tickets. A new one replaces the oldest, whose person is then asked again."""


class Tickets:
    """Tickets of this bridge. Another bridge, or this one after a restart, accepts none of them."""

    def __init__(self) -> None:
        self._issued = BoundedDict[str, str](KEPT_TICKETS)

    def issue(self, purpose: str) -> str:
        """Return a new ticket for one purpose."""
        ticket = secrets.token_urlsafe()
        self._issued[ticket] = purpose
        return ticket

    def redeem(self, ticket: object, purpose: str) -> bool:
        """Invalidate a ticket, and return True if it was valid for the purpose."""
        return isinstance(ticket, str) and self._issued.pop(ticket, None) == purpose
