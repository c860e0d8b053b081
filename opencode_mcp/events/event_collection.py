"""Collection of events for a while: until one of a type, a number, a size, or a time.

Unlike the hub it keeps whole events and serves one caller. The caller decides which events may be seen.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Literal

import anyio

from opencode_mcp.errors import BackendTimeout, BackendUnavailable
from opencode_mcp.text.json_text import read_json
from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_map

End = Literal["time", "type", "count", "size", "closed"]
MOST_BYTES = 200_000
HEARTBEATS = frozenset({"server.heartbeat", "server.connected"})
"""Events about the stream itself: left out, unless their type is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Filter of a collection, and its end."""

    seconds: float
    types: frozenset[str] = frozenset()
    """Types to collect; empty for all. A type that ends in ``*`` matches all that begin so."""
    until: str = ""
    """Stop after an event of this type, which may end in ``*`` too."""
    sessions: frozenset[str] = frozenset()
    """Sessions to collect; empty for all."""
    count: int
    is_noise: Callable[[str], bool] = lambda _line: False
    """Returns True for a line to leave out before it is parsed."""


@dataclass(slots=True)
class CollectedEvents:
    """Collected events."""

    events: list[JsonMap] = field(default_factory=list[JsonMap])
    ended: End = "time"
    """Reason of the end; ``closed`` means that OpenCode ended the stream, for instance with its instance."""
    size: int = 0


async def collect_until(
    stream: AbstractAsyncContextManager[AsyncIterator[str]],
    wanted: EventFilter,
    visible: Callable[[JsonMap], Awaitable[bool]],
) -> CollectedEvents:
    """Collect events from a stream that nobody else reads.

    Args:
        stream: ``event.subscribe`` or a similar operation, not yet opened.
        wanted: Filter and end.
        visible: Returns True for an event that the caller may see.

    Raises:
        BridgeError: The stream did not open. A stream that ends later ends the collection.
    """
    gathered = CollectedEvents()
    opened = False
    with anyio.move_on_after(wanted.seconds):
        try:
            async with stream as lines:
                opened = True
                await _read(lines, wanted, visible, gathered)
        except (BackendUnavailable, BackendTimeout):
            if not opened:
                raise
            gathered.ended = "closed"
    return gathered


async def _read(
    lines: AsyncIterator[str],
    wanted: EventFilter,
    visible: Callable[[JsonMap], Awaitable[bool]],
    gathered: CollectedEvents,
) -> None:
    async for line in lines:
        if wanted.is_noise(line):
            continue
        event = _read_event(line)
        if not event or not fits(event, wanted) or not await visible(event):
            continue
        gathered.events.append(event)
        gathered.size += len(line)
        end = _end(event, wanted, gathered)
        if end:
            gathered.ended = end
            return
    gathered.ended = "closed"


def _read_event(line: str) -> JsonMap:
    """Parse the event of a line; empty for a line that cannot be parsed."""
    try:
        return as_map(read_json(line))
    except ValueError:
        return {}


def _end(event: JsonMap, wanted: EventFilter, gathered: CollectedEvents) -> End | None:
    if wanted.until and _matches(type_of(event), wanted.until):
        return "type"
    if len(gathered.events) >= wanted.count:
        return "count"
    return "size" if gathered.size >= MOST_BYTES else None


def fits(event: JsonMap, wanted: EventFilter) -> bool:
    """Return True if an event passes the filter."""
    kind = type_of(event)
    named = {*wanted.types, wanted.until} - {""}
    if kind in HEARTBEATS and kind not in named:
        return False
    if wanted.types and not any(_matches(kind, name) for name in named):
        return False
    return not wanted.sessions or session_of(event) in wanted.sessions


def _matches(kind: str, name: str) -> bool:
    return kind.startswith(name[:-1]) if name.endswith("*") else kind == name


def _payload(event: JsonMap) -> JsonMap:
    """Return the event itself; events of all directories are wrapped."""
    return as_map(event.get("payload")) or event


def type_of(event: JsonMap) -> str:
    """Return the type of an event, such as ``session.idle``."""
    return str(_payload(event).get("type") or "")


def session_of(event: JsonMap) -> str:
    """Return the session of an event; empty if it concerns none."""
    payload = _payload(event)
    properties = as_map(payload.get("properties") or payload.get("data"))
    inner = as_map(properties.get("info") or properties.get("part") or properties.get("form"))
    own = inner.get("id") if type_of(event).startswith("session.") else ""
    return str(properties.get("sessionID") or inner.get("sessionID") or own or "")


def directory_of(event: JsonMap) -> str:
    """Return the directory of an event; empty if it concerns none."""
    location = as_map(_payload(event).get("location"))
    return str(event.get("directory") or location.get("directory") or "")
