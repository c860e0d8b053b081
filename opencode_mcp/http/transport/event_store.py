"""Events of one session of the 2025 era, kept so that a client whose connection broke can get what it missed."""

from collections import deque
from dataclasses import dataclass

from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from mcp_types import JSONRPCMessage

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

    async def store_event(self, stream_id: str, message: JSONRPCMessage | None) -> str:
        """Keep a message and return its id; ``None`` marks a place in the stream."""
        size = len(message.model_dump_json()) if message else 0
        self._events.append(_Stored(self._next, stream_id, message, size))
        self._size += size
        self._messages += message is not None
        self._next += 1
        while self._is_full():
            dropped = self._events.popleft()
            self._size -= dropped.size
            self._messages -= dropped.message is not None
        return str(self._next - 1)

    def _is_full(self) -> bool:
        return self._messages > MOST_MESSAGES or len(self._events) > MOST_EVENTS or self._size > MOST_CHARACTERS

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        """Send what came after an event in the same stream, and return the stream; ``None``: the event is not kept."""
        last = next((event for event in self._events if str(event.number) == last_event_id), None)
        if last is None:
            return None
        # More may come meanwhile.
        for event in list(self._events):
            if event.number > last.number and event.stream == last.stream and event.message is not None:
                await send_callback(EventMessage(event.message, str(event.number)))
        return last.stream
