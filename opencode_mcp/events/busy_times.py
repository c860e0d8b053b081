"""Times at which sessions worked, by the event stream: OpenCode credits a run with the changes of its neighbours.

Pure: the caller gives the times, in seconds of one clock. Events that were missed in a gap leave a time out, or let one
that is open last until the session's next idle event.
"""

import math
from collections import deque
from dataclasses import dataclass, field

from opencode_mcp.bounded_dict import BoundedDict

SESSIONS_KEPT = 2000
PERIODS_KEPT = 8
"""Latest busy periods of a session."""


@dataclass(slots=True)
class _Period:
    begin: float
    end: float = math.inf


@dataclass(slots=True)
class _Worked:
    directory: str
    periods: deque[_Period] = field(default_factory=lambda: deque[_Period](maxlen=PERIODS_KEPT))


class BusyTimes:
    """Busy periods, by session."""

    def __init__(self) -> None:
        self._sessions = BoundedDict[str, _Worked](SESSIONS_KEPT)

    def begin(self, session_id: str, directory: str, now: float) -> None:
        """Note that a session is busy in a directory."""
        worked = self._sessions.get(session_id)
        if worked is None or worked.directory != directory:
            worked = self._sessions[session_id] = _Worked(directory)
        if not worked.periods or worked.periods[-1].end < math.inf:
            worked.periods.append(_Period(now))

    def end(self, session_id: str, now: float) -> None:
        """Note that a session is idle."""
        worked = self._sessions.get(session_id)
        if worked and worked.periods and worked.periods[-1].end == math.inf:
            worked.periods[-1].end = now

    def sessions(self, directory: str, since: float, until: float) -> list[str]:
        """Return the sessions that worked in a directory at some time of a period."""
        return [
            session_id
            for session_id, worked in self._sessions.items()
            if worked.directory == directory
            and any(period.begin < until and period.end > since for period in worked.periods)
        ]
