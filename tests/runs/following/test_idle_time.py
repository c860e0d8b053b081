"""A run that has no end counts as idle for as long as can be proven, and no longer."""

from math import inf

import anyio
import pytest

from opencode_mcp.events.hub import Hub
from opencode_mcp.events.interrupted_prompts import InterruptedPrompts
from opencode_mcp.launcher.connection import Connection
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.opencode.http_client.transport import Transport
from opencode_mcp.opencode.versions import Generation
from opencode_mcp.runs.following.idle_time import proven_idle_seconds
from opencode_mcp.runs.run_record import Run
from tests.wires import Route

pytestmark = pytest.mark.anyio
RUN = Run("/project", "ses_1", "msg_1")


@pytest.mark.parametrize(
    ("generation", "unchanged", "silent", "age", "idle"),
    [
        pytest.param(1, 30, 0, None, 0, id="nothing is known, and clocks may differ"),
        pytest.param(1, 100, 0, None, 40, id="longer ago than clocks differ"),
        pytest.param(1, 30, 12, None, 12, id="OpenCode went away and came back"),
        pytest.param(1, 30, 0, 4, inf, id="the process began after the run"),
        pytest.param(2, 30, 0, 4, 4, id="and may resume it"),
        pytest.param(2, 100, 0, 4, 40, id="but has not for a long time"),
        pytest.param(1, 30, 0, 500, 0, id="the process began before the run"),
        pytest.param(1, 30, 0, 29.95, 0, id="perhaps before the run"),
    ],
)
async def test_a_run_is_idle_for_as_long_as_can_be_proven(
    generation: Generation,
    unchanged: float,
    silent: float,
    age: float | None,
    idle: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def server_age(_hub: Hub) -> float | None:
        return age

    def silent_seconds(_prompts: InterruptedPrompts, _session_id: str, _message_id: str) -> float:
        return silent

    monkeypatch.setattr(Hub, "server_age", server_age)
    monkeypatch.setattr(InterruptedPrompts, "silent_seconds", silent_seconds)
    endpoint = Endpoint(url="http://127.0.0.1:1", generation=generation)
    hub = Hub(Connection(Route(endpoint)), anyio.create_task_group())
    client = OpenCodeClient(Transport(endpoint))
    assert await proven_idle_seconds(client, hub, RUN, unchanged_seconds=unchanged) == idle
