"""Time that prompts spend waiting for answers to permissions and questions, by the event stream.

A request counts for the prompt that its session works on, and for those of the sessions above it. Requests that are
open together count once.

What was missed in a gap of the stream is not known. The open requests count until then, and again from when somebody
reads that they are open. So the time of a prompt is then the least that is known.

Pure: the caller gives the times, in seconds of one clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from opencode_mcp.bounded_dict import BoundedDict

SESSIONS_KEPT = 2000
PROMPTS_KEPT = 2000
REQUESTS_KEPT = 1000


@dataclass(slots=True)
class _Waited:
    """Time that one session waited during the work on a prompt."""

    open: set[str] = field(default_factory=set[str])
    """Requests that wait for an answer."""
    since: float = 0
    """Begin of the present wait."""
    before: float = 0
    """Seconds of the waits that have ended."""
    is_whole: bool = True
    """False if events may have been missed since it began."""


class AnswerWaits:
    """Times of waiting, by session."""

    def __init__(self) -> None:
        self._sessions = BoundedDict[str, _Waited](SESSIONS_KEPT)
        self._prompts = BoundedDict[str, _Waited](PROMPTS_KEPT)
        self._askers = BoundedDict[str, Sequence[str]](REQUESTS_KEPT)
        """Sessions that each open request counts for; its own is the first."""
        self._closed = BoundedDict[str, bool](REQUESTS_KEPT)
        """Requests that the stream has reported as closed."""

    def begin(self, request_id: str, session_ids: Sequence[str], now: float) -> None:
        """Note that a request waits for an answer; one that is known to be closed does not.

        Args:
            request_id: Its id.
            session_ids: The session that asks, and those above it.
            now: Time of the request, or at which it was read that it is open.
        """
        if request_id in self._askers or request_id in self._closed:
            return
        self._askers[request_id] = list(session_ids)
        for session_id in session_ids:
            waited = self._sessions.get(session_id) or _Waited()
            waited.since = waited.since if waited.open else now
            waited.open.add(request_id)
            self._sessions[session_id] = waited

    def end(self, request_id: str, now: float) -> None:
        """Note that a request is closed."""
        self._closed[request_id] = True
        self._stop_counting(request_id, now)

    def _stop_counting(self, request_id: str, now: float) -> None:
        for session_id in self._askers.pop(request_id, ()):
            waited = self._sessions.get(session_id)
            if waited and request_id in waited.open:
                waited.open.remove(request_id)
                waited.before += 0 if waited.open else now - waited.since

    def end_all_of(self, session_id: str, now: float) -> None:
        """Note that a session does not wait any more; OpenCode does not close the requests of an aborted run."""
        for request_id in [name for name, askers in self._askers.items() if askers[0] == session_id]:
            self.end(request_id, now)

    def restart(self, session_id: str, message_id: str, *, is_whole: bool = True) -> None:
        """Count anew for a session: it got another prompt while it was idle.

        Args:
            session_id: The session.
            message_id: The prompt.
            is_whole: False if the prompt itself was missed, and only an answer to it was seen.
        """
        self._sessions[session_id] = self._prompts[message_id] = _Waited(is_whole=is_whole)

    def join(self, session_id: str, message_id: str) -> None:
        """Count for one more prompt: the session got it while it worked, and answers it together with the others."""
        if waited := self._sessions.get(session_id):
            self._prompts[message_id] = waited

    def note_gap(self, now: float) -> None:
        """Note that events may have been missed: it is not known which requests are still open."""
        for request_id in list(self._askers):
            self._stop_counting(request_id, now)
        for waited in [*self._sessions.values(), *self._prompts.values()]:
            waited.is_whole = False

    def is_whole(self, message_id: str) -> bool:
        """Return True if the time of a prompt is known from its beginning on, and no event was missed since."""
        waited = self._prompts.get(message_id)
        return waited is not None and waited.is_whole

    def seconds(self, message_id: str, now: float) -> float | None:
        """Return the seconds that the work on a prompt waited, with its subagents; ``None`` if it was not followed.

        They are the least that is known if events were missed; see ``is_whole``.
        """
        waited = self._prompts.get(message_id)
        if waited is None:
            return None
        return waited.before + (now - waited.since if waited.open else 0)
