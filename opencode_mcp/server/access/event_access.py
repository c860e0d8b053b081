"""Access to events: which sessions a caller may know of, without a request to OpenCode for each event."""

from typing import Protocol

from opencode_mcp.bounded_dict import BoundedDict

REMEMBERED_SESSIONS = 2000


class EventFence(Protocol):
    """Part of the fence that decides about events."""

    async def allows(self, directory: str) -> bool:
        """Return True if callers may work in a directory."""
        ...

    async def allows_session(self, session_id: str) -> bool:
        """Return True if a session is known to work in a directory in which callers may work."""
        ...


class SessionAccess:
    """Decisions of the fence about sessions, each made once: events of a session that begins later have a directory.

    Args:
        fence: Decides about a session that is not known yet.
    """

    def __init__(self, fence: EventFence) -> None:
        self._fence = fence
        self._allowed = BoundedDict[str, bool](REMEMBERED_SESSIONS)

    async def allows(self, session_id: str) -> bool:
        """Return True if callers may know of a session.

        Raises:
            BackendError: The request to OpenCode failed.
        """
        if session_id not in self._allowed:
            self._allowed[session_id] = await self._fence.allows_session(session_id)
        return self._allowed[session_id]
