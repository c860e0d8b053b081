"""Parents of sessions: which session is a subagent of which, as far as it is known. Pure."""

from opencode_mcp.bounded_dict import BoundedDict

SESSIONS_KEPT = 2000


class SessionParents:
    """Parents of the sessions of subagents."""

    def __init__(self) -> None:
        self._parents = BoundedDict[str, str](SESSIONS_KEPT)

    def note(self, session_id: str, parent_id: str) -> None:
        """Note whose subagent a session is."""
        self._parents[session_id] = parent_id

    def lineage(self, session_id: str) -> list[str]:
        """Return the session, its parent, and so on up to the root."""
        line = {session_id: None}
        parent = self._parents.get(session_id)
        while parent and parent not in line:
            line[parent] = None
            parent = self._parents.get(parent)
        return list(line)
