"""In which directory a session works, without opening that directory.

OpenCode opens a session's own directory as a project when it is asked for the session (``session.get`` and all that
name a session), whatever directory the request names: its plugins and configuration run before anybody could look at
the answer. Only the list of all sessions (``experimental.session.list`` without a directory) opens none of theirs.
"""

import re

from opencode_mcp.bounded_dict import BoundedDict
from opencode_mcp.opencode.client import OpenCodeClient

FIRST_PAGE = 100
"""The session that is asked for is mostly one of the latest."""
PAGE = 1000
MOST_PAGES = 50
KEPT = 10_000
CURSOR = re.compile(r"[0-9]{1,15}")
"""A moment in milliseconds; what is none ends the list."""


class SessionPlaces:
    """Finds the directories of sessions.

    Args:
        client: Lists them.
    """

    def __init__(self, client: OpenCodeClient) -> None:
        self._client = client
        self._known = BoundedDict[str, str](KEPT)

    async def find(self, session_id: str) -> str:
        """The directory of a session; empty where there is no such session.

        Raises:
            BackendError: OpenCode could not be asked.
        """
        return self._known.get(session_id) or await self._look(session_id)

    def forget(self, session_id: str) -> None:
        """Look anew the next time: the session is gone, or works elsewhere now."""
        self._known.pop(session_id, None)

    async def _look(self, session_id: str) -> str:
        cursor, limit = "", FIRST_PAGE
        for _ in range(MOST_PAGES):
            query = {"limit": limit, "archived": True, "cursor": int(cursor) if CURSOR.fullmatch(cursor) else None}
            page = await self._client.all_sessions(query)
            self._known.update({session.id: session.directory for session in page.items})
            if session_id in self._known or not CURSOR.fullmatch(page.cursor) or page.cursor == cursor:
                break
            cursor, limit = page.cursor, PAGE
        return self._known.get(session_id, "")
