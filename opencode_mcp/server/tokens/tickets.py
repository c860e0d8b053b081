"""Tickets that are good for one use: what a client sends back with an answer must not act twice."""

import secrets

from opencode_mcp.bounded_dict import BoundedDict

KEPT = 1000
"""Tickets that may be out at once; the oldest is given up for a new one, and whoever holds it is asked again."""


class Tickets:
    """Tickets of this bridge. They end with it: another bridge, or the next one, takes none of them."""

    def __init__(self) -> None:
        self._issued = BoundedDict[str, str](KEPT)

    def issue(self, purpose: str) -> str:
        """A new ticket for one purpose."""
        ticket = secrets.token_urlsafe()
        self._issued[ticket] = purpose
        return ticket

    def redeem(self, ticket: object, purpose: str) -> bool:
        """Use a ticket up; says whether it was good for the purpose."""
        return isinstance(ticket, str) and self._issued.pop(ticket, None) == purpose
