"""One bridge of a fuzz: batches of shots go in, and what is still owed and what was wrong come out."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
from anyio import to_thread

from tests.fuzz.drafts import Draft
from tests.fuzz.findings import Finding, surplus, unanswered, unsayable
from tests.fuzz.place import Place
from tests.fuzz.shots import Shot, shots_of
from tests.harness.bridges.rawrpc import Host, RawClient

FIRST_ID = 10_000
"""The client's own requests have smaller ids."""
PROBE = 15.0
"""Seconds for a call that must succeed."""
PAUSE = 0.02
SETTLE = 0.05
"""Seconds in which what must not come would come."""
BROKEN = (OSError, EOFError, TimeoutError, anyio.BrokenResourceError, anyio.ClosedResourceError)


@dataclass(frozen=True, slots=True)
class Fired:
    """Outcome of a batch."""

    shots: list[Shot]
    owing: list[Shot]
    """Those that are still owed something."""
    findings: list[Finding]
    answered: int = 0


@dataclass(slots=True)
class Side:
    """A connected bridge."""

    place: Place
    client: RawClient
    names: dict[str, str]
    sent: int = FIRST_ID

    async def fire(self, drafts: Sequence[Draft], *, seconds: float) -> Fired:
        """Send drafts at once and wait for what is owed, at most so many seconds."""
        shots = shots_of(drafts, self.client.host, self.names, first=self.sent)
        self.sent += len(shots)
        replies, received = len(self.client.replies), len(self.client.received)
        owing = await self._exchange(shots, replies, seconds)
        came = self.client.replies[replies:]
        messages = [*came, *self.client.received[received:]]
        found = [*surplus(shots, came), *unsayable(shots, messages, self.place.canaries)]
        return Fired(shots, owing, found, len(came))

    async def _exchange(self, shots: list[Shot], replies: int, seconds: float) -> list[Shot]:
        owing = shots
        try:
            await self.client.write_bytes(b"".join(shot.line + b"\n" for shot in shots))
            with anyio.fail_after(seconds):
                while owing and not self.client.closed:
                    await anyio.sleep(PAUSE)
                    owing = unanswered(shots, self.client.replies[replies:])
                await anyio.sleep(SETTLE)
        except BROKEN:
            pass
        return owing

    async def works(self) -> bool:
        """Return True if the bridge still works."""
        if self.client.closed:
            return False
        try:
            with anyio.fail_after(PROBE):
                result = await self.client.call("opencode_read_file", path=".")
        except BROKEN:
            return False
        return "README.md" in str(result)


@asynccontextmanager
async def open_side(place: Place, host: Host) -> AsyncGenerator[Side]:
    """Start a bridge for a fuzz."""
    names = await to_thread.run_sync(place.names)
    async with place.bridge(host) as client:
        yield Side(place, client, names)
