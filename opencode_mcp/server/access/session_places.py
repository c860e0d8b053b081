"""Find the directory in which a session works, without opening that directory.

OpenCode opens a session's own directory as a project at each request that names the session (``session.get`` and
others), whatever directory the request names: its plugins and configuration run before the response could be checked.
Only the list of all sessions (``experimental.session.list`` without a directory) opens no session's directory, and the
events name the directories of the sessions that work. One session that OpenCode cannot read may fail the whole list.
The lists of the allowed directories, which may be opened, then have the sessions of the others.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Sequence

from opencode_mcp.bounded_dict import BoundedDict
from opencode_mcp.errors import BackendFailed
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary.session_filter import SessionFilter

logger = logging.getLogger(__name__)

FIRST_PAGE = 100
"""Sessions on the first page. The wanted session is mostly one of the latest."""
PAGE = 1000
MOST_PAGES = 50
KEPT_PLACES = 10_000
CURSOR = re.compile(r"[0-9]{1,15}")
"""Form of a cursor, a time in milliseconds; anything else ends the list."""


class SessionPlaces:
    """Finds the directories of sessions.

    Args:
        client: Lists sessions.
        place_of: Returns the directory of a session that an event named; empty if none did.
        allowed: Returns the directories that may be opened.
    """

    def __init__(
        self,
        client: OpenCodeClient,
        place_of: Callable[[str], str],
        allowed: Callable[[], Awaitable[Sequence[str]]],
    ) -> None:
        self._client = client
        self._place_of = place_of
        self._allowed = allowed
        self._known = BoundedDict[str, str](KEPT_PLACES)

    async def find(self, session_id: str) -> str:
        """Return the directory of a session; empty if there is no such session.

        Raises:
            BackendError: The request to OpenCode failed.
        """
        known = self._known.get(session_id) or self._place_of(session_id)
        if known:
            return known
        try:
            return await self._search(session_id)
        except BackendFailed as error:
            logger.warning("the list of all sessions could not be read: %s", error)
            if found := await self._find_in_allowed(session_id):
                return found
            raise

    def forget(self, session_id: str) -> None:
        """Search again the next time: the session is gone, or works elsewhere now."""
        self._known.pop(session_id, None)

    async def _search(self, session_id: str) -> str:
        cursor, limit = "", FIRST_PAGE
        for number in range(MOST_PAGES):
            before = int(cursor) if CURSOR.fullmatch(cursor) else 0
            wanted = SessionFilter(limit=limit, archived=True, before=before, any_order=number == 0)
            page = await self._client.all_sessions(wanted)
            self._known.update({session.id: session.directory for session in page.items})
            if session_id in self._known or not CURSOR.fullmatch(page.cursor) or page.cursor == cursor:
                break
            cursor, limit = page.cursor, PAGE
        return self._known.get(session_id, "")

    async def _find_in_allowed(self, session_id: str) -> str:
        """Return the allowed directory that lists a session; empty if none does. A list that fails is left out."""
        for directory in await self._allowed():
            try:
                page = await self._client.all_sessions(SessionFilter(limit=PAGE, archived=True), directory)
            except BackendFailed as error:
                logger.warning("the list of the sessions in %s could not be read: %s", directory, error)
                continue
            self._known.update({session.id: session.directory for session in page.items})
            if session_id in self._known:
                break
        return self._known.get(session_id, "")
