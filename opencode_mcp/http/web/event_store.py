"""Events of one session of the 2025 era, kept so that a client whose connection broke can get what it missed.

The id of an event names its stream, so that a client whose last event was dropped still gets what is kept of the stream
after it, and the response when that comes.
"""

from collections import deque
from dataclasses import dataclass
from urllib.parse import quote, unquote

from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from mcp_types import JSONRPCError, JSONRPCMessage, JSONRPCResponse

MOST_MESSAGES = 500
MOST_EVENTS = 2000
"""Limit of the messages and the places in streams together."""
MOST_CHARACTERS = 4_000_000
"""Sum of the kept messages, as JSON."""


@dataclass(frozen=True, slots=True)
class _Stored:
    number: int
    stream: str
    message: JSONRPCMessage | None
    size: int


class SessionEvents(EventStore):
    """The latest events of one session; the oldest are dropped."""

    def __init__(self) -> None:
        self._events: deque[_Stored] = deque()
        self._size = 0
        self._messages = 0
        self._next = 1
        self._open: set[str] = set()
        """Streams without a response, which may send more."""

    async def store_event(self, stream_id: str, message: JSONRPCMessage | None) -> str:
        """Keep a message and return its id; ``None`` marks a place in the stream."""
        size = len(message.model_dump_json()) if message else 0
        stored = _Stored(self._next, stream_id, message, size)
        self._note_state(stored)
        self._events.append(stored)
        self._size += size
        self._messages += message is not None
        self._next += 1
        while self._is_full():
            dropped = self._events.popleft()
            self._size -= dropped.size
            self._messages -= dropped.message is not None
        return _id_of(stored)

    def _note_state(self, event: _Stored) -> None:
        """Note whether a stream has its response."""
        if _is_response(event):
            self._open.discard(event.stream)
        elif event.stream not in self._open and not self._has_response(event.stream):
            self._open.add(event.stream)

    def _has_response(self, stream: str) -> bool:
        return any(_is_response(kept) for kept in self._events if kept.stream == stream)

    def _is_full(self) -> bool:
        return self._messages > MOST_MESSAGES or len(self._events) > MOST_EVENTS or self._size > MOST_CHARACTERS

    def can_resume(self, last_event_id: str) -> bool:
        """Return True if a client that got an event can get the response of its stream, or the stream is open."""
        found = self._find(last_event_id)
        if found is None:
            return False
        number, stream = found
        return stream in self._open or any(map(_is_response, self._after(number, stream)))

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        """Send what is kept of a stream after an event, and return the stream; ``None``: it cannot be resumed."""
        found = self._find(last_event_id)
        if found is None or not self.can_resume(last_event_id):
            return None
        sent, stream = found
        # More may come meanwhile.
        while later := self._after(sent, stream):
            for event in later:
                if event.message is not None:
                    await send_callback(EventMessage(event.message, _id_of(event)))
            sent = later[-1].number
        return stream

    def _after(self, number: int, stream: str) -> list[_Stored]:
        """Return the kept events of a stream that came after one."""
        return [event for event in self._events if event.stream == stream and event.number > number]

    def _find(self, event_id: str) -> tuple[int, str] | None:
        """Return the number and the stream of an event; ``None`` if there was none with this id."""
        digits, _, quoted = event_id.partition("-")
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= len(str(self._next))):
            return None
        number, stream = int(digits), unquote(quoted)
        kept = next((event for event in self._events if event.number == number), None)
        is_known = kept.stream == stream if kept else 0 < number < self._next
        return (number, stream) if is_known else None


def _id_of(event: _Stored) -> str:
    return f"{event.number}-{quote(event.stream, safe='')}"


def _is_response(event: _Stored) -> bool:
    return isinstance(event.message, JSONRPCResponse | JSONRPCError)
