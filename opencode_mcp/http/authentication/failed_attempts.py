"""Limit of wrong tokens from one address, so that they cost little and do not fill the log."""

import anyio

from opencode_mcp.bounded_dict import BoundedDict

ATTEMPTS = 10
"""Wrong tokens that an address may send in a period."""
PERIOD_SECONDS = 60.0
ADDRESSES = 10_000
"""Addresses that are remembered."""


class FailedAttempts:
    """Wrong tokens of the present period, by address.

    A right token is always accepted: behind a proxy, many clients may have one address.
    """

    def __init__(self) -> None:
        self.total = 0
        """Wrong tokens since the start."""
        self._counts = BoundedDict[str, tuple[float, int]](ADDRESSES)

    def add(self, address: str) -> float:
        """Count a wrong token, and return the seconds until the address may send the next one; 0: at once."""
        self.total += 1
        now = anyio.current_time()
        began, count = self._counts.get(address, (now, 0))
        if now - began >= PERIOD_SECONDS:
            began, count = now, 0
        self._counts[address] = began, count + 1
        return began + PERIOD_SECONDS - now if count >= ATTEMPTS else 0.0
