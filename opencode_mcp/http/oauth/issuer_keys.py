"""Keys of the issuer, kept while they are fresh, and fetched again when the issuer has new ones.

A token that names an unknown key may be signed with a new one, and only the issuer knows. It is asked at most so many
times. After that, such a token waits for its turn, so that tokens with keys that do not exist, however many there are,
cannot keep out one with a new key.
"""

import logging
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
MOST_AT_ONCE = 6
"""Requests to the issuer that may follow each other at once, whatever tokens come."""
PAUSE_SECONDS = 10.0
"""Time between further requests."""
MOST_WAITING = 100
"""Tokens that wait for the next request to the issuer; more of them cannot be checked."""


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
        self._has_failed = False
        """True if the last request to the issuer has failed."""
        self._paid_until = 0.0
        """Time up to which requests have used up the allowance of one in each pause."""
        self._asks_at = 0.0
        """Time at which the request that is under way is sent, or was."""
        self._waiting = 0
        self._arrival: anyio.Event | None = None
        """Set when the request to the issuer that is under way has ended; ``None``: there is none."""

    async def find(self, key_id: str, algorithm: str) -> "jwt.PyJWK | None":
        """Return the key that a token names; ``None`` if the issuer has no such key.

        Raises:
            IssuerFailed: That is not known, because the issuer cannot be reached, or too many tokens wait for it.
        """
        if self._is_older(FRESH_SECONDS):
            self.refresh()
        known = self._present
        key = known.find(key_id, algorithm) if known else None
        if key is None:
            # It may be a new key.
            key = (await self._fetched_anew()).find(key_id, algorithm)
        return key

    def refresh(self) -> None:
        """Have the keys fetched as soon as the issuer may be asked, unless that is under way."""
        if self._arrival is None:
            now = anyio.current_time()
            self._asks_at = max(now, self._paid_until - (MOST_AT_ONCE - 1) * PAUSE_SECONDS)
            self._paid_until = max(now, self._paid_until) + PAUSE_SECONDS
            self._arrival = anyio.Event()
            self._task_group.start_soon(self._get)

    async def _fetched_anew(self) -> "KeySet":
        """Return the keys that the issuer has now.

        Raises:
            IssuerFailed: They are not known.
        """
        self.refresh()
        if self._asks_at <= anyio.current_time() or (self._present and self._waiting < MOST_WAITING):
            await self._arrived()
            if self._present and not self._has_failed:
                return self._present
        raise IssuerFailed("The keys of the issuer are not known now.")

    async def _arrived(self) -> None:
        self._waiting += 1
        try:
            if self._arrival:
                await self._arrival.wait()
        finally:
            self._waiting -= 1

    async def _get(self) -> None:
        try:
            await anyio.sleep_until(self._asks_at)
            self._keys = await self._fetch()
            self._fetched_at = anyio.current_time()
            self._has_failed = False
        except IssuerFailed as error:
            self._has_failed = True
            logger.warning("the keys of the issuer cannot be read: %s", error.message)
        finally:
            if self._arrival:
                self._arrival.set()
            self._arrival = None

    def _is_older(self, seconds: float) -> bool:
        return anyio.current_time() - self._fetched_at >= seconds

    @property
    def _present(self) -> "KeySet | None":
        return None if self._is_older(KEPT_SECONDS) else self._keys
