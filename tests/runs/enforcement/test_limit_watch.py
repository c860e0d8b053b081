"""The watch over the limits of a run decides from what the events have shown before it reads anything."""

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import anyio
import pytest

from opencode_mcp.opencode.http_client.codec import HttpRequest, Reply
from opencode_mcp.opencode.http_client.transport import READ_TIMEOUT_SECONDS
from opencode_mcp.opencode.vocabulary.backend_events import Event, MessageChanged
from opencode_mcp.opencode.vocabulary.wire.message import MessageInfo
from opencode_mcp.runs.enforcement.limit_watch import LimitWatch
from opencode_mcp.runs.known_prompts import KnownPrompts
from opencode_mcp.runs.limits import Limits
from opencode_mcp.runs.run_record import Run
from opencode_mcp.runs.session_stopping import StopResult
from tests.opencode.v2.lists import SESSION
from tests.opencode.v2.stored_server import StoredServer

if TYPE_CHECKING:
    from collections.abc import Generator

pytestmark = pytest.mark.anyio

RUN = Run(directory="/project", session_id=SESSION, message_id="msg_1", limits=Limits(max_steps=2))


@dataclass
class SilentServer(StoredServer):
    """Lists the first step when asked for the first time, and answers no later read of messages."""

    reads: int = 0

    async def send(self, request: HttpRequest, *, timeout: float = READ_TIMEOUT_SECONDS, queued: bool = True) -> Reply:
        """Answer a request, unless it reads messages again."""
        if request.path.endswith("/message"):
            self.reads += 1
            if self.reads > 1:
                await anyio.sleep_forever()
        return await super().send(request, timeout=timeout, queued=queued)


class Events:
    """Hub that delivers events in batches, then none."""

    def __init__(self, *batches: list[Event]) -> None:
        self._server = SilentServer()
        self._batches = list(batches)

    async def ensure(self) -> SilentServer:
        """Return the server."""
        return self._server

    @contextmanager
    def listen(self, _session_id: str) -> "Generator[Events]":
        """Listen to the events."""
        yield self

    async def wait(self, _seconds: float) -> list[Event]:
        """Return the next batch."""
        if not self._batches:
            await anyio.sleep_forever()
        return self._batches.pop(0)


@dataclass
class Stops:
    """Runs of which only the stops are noted."""

    known: KnownPrompts = field(default_factory=KnownPrompts)
    stopped: list[str] = field(default_factory=list[str])

    def is_verified_now(self, _run: Run) -> bool:
        """Return False."""
        return False

    async def stop(self, run: Run, *, reason: str) -> StopResult:
        """Note the reason."""
        assert self.known.stop_reasons[run.message_id] == reason
        self.stopped.append(reason)
        return StopResult(was_running=False)


class NoRequests:
    """Requests of a run that asks for nothing."""

    async def open(self, _directory: str, _session_id: str) -> list[object]:
        """Return none."""
        return []


def step(number: int) -> Event:
    info = {"id": f"msg_{number}", "role": "assistant", "sessionID": SESSION, "parentID": RUN.message_id}
    return MessageChanged(SESSION, MessageInfo.read(info))


async def test_a_step_beyond_the_limit_stops_the_run_without_another_read() -> None:
    stops = Stops()
    hub = Events([step(2), step(3), step(4)])
    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            LimitWatch(cast("Any", hub), cast("Any", stops), cast("Any", NoRequests()), tasks).add(RUN)
    reason = "The run was stopped in step 3, whose calls may have ended: the limit is 2 steps."
    assert stops.stopped == [reason]
