"""Keys of the issuer, kept while they are fresh, and fetched again when the issuer has new ones."""

import logging
from collections import deque
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import IssuerFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import jwt
    from anyio.abc import TaskGroup

    from opencode_mcp.http.oauth.key_set import KeySet

logger = logging.getLogger(__name__)

FRESH_SECONDS = 600.0
"""Age from which keys are fetched again; meanwhile they are used."""
KEPT_SECONDS = 3600.0
"""Age from which keys are not used any more: the issuer may have withdrawn them."""
MOST_REQUESTS = 6
"""Requests to the issuer in a period, whatever tokens come."""
PERIOD_SECONDS = 60.0


class IssuerKeys:
    """The present keys.

    Args:
        fetch: Gets the keys of the issuer.
        task_group: Runs the requests to the issuer.
    """

    def __init__(self, fetch: "Callable[[], Awaitable[KeySet]]", task_group: "TaskGroup") -> None:
        self._fetch = fetch
        self._task_group = task_group
        self._keys: KeySet | None = None
        self._fetched_at = 0.0
        self._asked_at: deque[float] = deque()
        """Times of the requests to the issuer in the present period."""
        self._arrival: anyio.Event | None = None
        """Set when the request to the issuer that is under way has ended; ``None``: there is none."""

    async def find(self, key_id: str, algorithm: str) -> "jwt.PyJWK | None":
        """Return the key that a token names; ``None`` if the issuer has no such key.

        Raises:
            IssuerFailed: There are no keys, because the issuer cannot be reached.
        """
        if self._is_older(FRESH_SECONDS):
            self.refresh()
        known = self._present
        key = known.find(key_id, algorithm) if known else None
        if key is None:
            # It may be a new key.
            self.refresh()
            await self._arrived()
            key = self._checked().find(key_id, algorithm)
        return key

    def refresh(self) -> None:
        """Begin to fetch the keys, unless that is under way or was done too often."""
        if self._arrival is None and self._may_ask():
            self._asked_at.append(anyio.current_time())
            self._arrival = anyio.Event()
            self._task_group.start_soon(self._get)

    def _may_ask(self) -> bool:
        while self._asked_at and anyio.current_time() - self._asked_at[0] >= PERIOD_SECONDS:
            self._asked_at.popleft()
        return len(self._asked_at) < MOST_REQUESTS

    async def _get(self) -> None:
        try:
            self._keys = await self._fetch()
            self._fetched_at = anyio.current_time()
        except IssuerFailed as error:
            logger.warning("the keys of the issuer cannot be read: %s", error.message)
        finally:
            if self._arrival:
                self._arrival.set()
            self._arrival = None

    async def _arrived(self) -> None:
        if self._arrival:
            await self._arrival.wait()

    def _is_older(self, seconds: float) -> bool:
        return anyio.current_time() - self._fetched_at >= seconds

    @property
    def _present(self) -> "KeySet | None":
        return None if self._is_older(KEPT_SECONDS) else self._keys

    def _checked(self) -> "KeySet":
        if present := self._present:
            return present
        raise IssuerFailed("The keys of the issuer are not known now.")
