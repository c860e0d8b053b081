"""The ends of a session's executions, read from its durable log.

The released server writes an ``idle`` message at each end; the preview has the same knowledge in its log only.
"""

from collections import defaultdict
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio

from tests.harness.opencode2.proxy.event_shapes import ENDS
from tests.harness.opencode2.proxy.shapes import error
from tests.harness.opencode2.proxy.upstream import Upstream, event_in
from tests.harness.opencode2.switches import Switches

Json = dict[str, Any]
SHUTDOWN = "shutdown"


@dataclass(frozen=True, slots=True)
class End:
    """One end of an execution."""

    event: Json = field(repr=False)
    after: str
    """The id of the message that the session had last then; empty: none."""

    def message(self) -> Json:
        """Write the ``idle`` message of this end."""
        event = self.event
        message: Json = {
            "id": str(event["id"]).replace("evt_", "msg_", 1),
            "type": "idle",
            "outcome": ENDS[event["type"]],
            "time": {"created": event["created"]},
        }
        failure = error(event["data"].get("error"))
        return {**message, "error": failure} if failure else message


@dataclass(slots=True)
class _Read:
    """Part of a session's log that was read so far."""

    ends: list[End] = field(default_factory=list[End])
    last_message: str = ""
    seq: int = 0
    busy: anyio.Lock = field(default_factory=anyio.Lock)

    def add(self, event: Json) -> None:
        self.seq = event["durable"]["seq"]
        data = event["data"]
        if event["type"] in ENDS:
            self.ends.append(End(event, self.last_message))
        elif event["type"] == "session.input.promoted":
            self.last_message = data["inputID"]
        else:
            self.last_message = data.get("assistantMessageID", self.last_message)


class Ends:
    """The ends of all sessions; what was read of a log once is not read again."""

    def __init__(self, upstream: Upstream, switches: Switches) -> None:
        self._upstream = upstream
        self._switches = switches
        self._known = defaultdict[str, _Read](_Read)
        self._settled = set[str]()
        """Sessions that were at rest when their log was read."""

    async def at_rest(self, session: str, active: Container[str]) -> Sequence[End]:
        """Do as ``of`` does, without a request for a session that has done nothing since its log was read.

        Args:
            session: A session.
            active: The sessions that ran immediately before.

        Raises:
            Refused: There is no such session.
        """
        changed = self._upstream.changed
        if session in active or session in changed or session not in self._settled:
            changed.discard(session)
            self._settled.discard(session)
            ends = await self.of(session)
            if session not in active and session not in changed:
                self._settled.add(session)
            return ends
        return self._written(session)

    async def of(self, session: str) -> Sequence[End]:
        """List the ends of a session's executions that the released server would write down, oldest first.

        Raises:
            Refused: There is no such session.
        """
        known = self._known[session]
        async with known.busy:
            path = f"/api/experimental/session/{session}/log"
            async with self._upstream.stream(path, {"after": str(known.seq)} if known.seq else None) as lines:
                async for line in lines:
                    event = event_in(line)
                    if event and event["type"] != "log.synced":
                        known.add(event)
        return self._written(session)

    def _written(self, session: str) -> Sequence[End]:
        return [end for end in self._known[session].ends if self._is_written(end)]

    def _is_written(self, end: End) -> bool:
        return self._switches.user_rejects or end.event["data"].get("reason") != SHUTDOWN
