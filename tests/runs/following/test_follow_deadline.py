"""A follower ends at its deadline, whatever OpenCode lists."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import anyio
import pytest

from opencode_mcp.events.hub import Hub
from opencode_mcp.opencode.http_client.clock import Clock
from opencode_mcp.runs.deadline import Deadline
from opencode_mcp.runs.following.follow import Follower
from opencode_mcp.runs.following.read_ahead import ReadAhead
from opencode_mcp.runs.outcome.run_report import PendingRequest
from opencode_mcp.runs.outcome.state import State
from opencode_mcp.runs.run_record import Run

if TYPE_CHECKING:
    from opencode_mcp.launcher.connection import Connection
    from opencode_mcp.opencode.client import OpenCodeClient

pytestmark = pytest.mark.anyio

SECONDS = 20
REQUEST = PendingRequest(request_id="per_1", kind="permission", session_id="ses_1", asks="?")


class AlwaysAsking(Follower):
    """A follower of a run whose request is listed again after every answer."""

    looks = 0

    async def _read(self) -> None:
        self.looks += 1
        self._seen.state, self._seen.pending = State.WAITING, [REQUEST]


async def closed(_pending: list[PendingRequest]) -> list[PendingRequest]:
    return []


async def read_nothing(*_: object) -> None:
    """Read nothing ahead."""


@pytest.mark.parametrize("seconds", [0, 0.2])
async def test_a_request_that_is_always_listed_again_keeps_no_follower_beyond_its_deadline(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReadAhead, "begin", read_nothing)
    client = cast("OpenCodeClient", SimpleNamespace(clock=Clock()))
    with anyio.fail_after(SECONDS):
        async with anyio.create_task_group() as tasks:
            hub = Hub(cast("Connection", None), tasks)
            follower = AlwaysAsking(client, hub, Run("/p", "ses_1", "msg_1"), respond=closed)
            seen = await follower.follow(Deadline.after(seconds))
            assert (seen.state, seen.pending) == (State.RUNNING, [])
            assert follower.looks >= 2
