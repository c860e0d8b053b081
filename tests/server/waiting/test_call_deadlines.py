"""The deadlines of a call count from its arrival, and never the time that a person takes for a form."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio
import pytest
from mcp_types import ElicitResult

from opencode_mcp.server.bridge import Bridge, BridgeContext
from opencode_mcp.server.waiting.call_context import CallContext
from opencode_mcp.server.waiting.call_deadlines import LEAST_START_SECONDS, Deadlines, deadlines_of
from opencode_mcp.server.waiting.elicitation import DECISION
from opencode_mcp.server.waiting.host_limits import UNKNOWN_HOST_SECONDS
from opencode_mcp.server.waiting.shell_permission import permit_shell
from tests.server.waiting.test_wait import FORMS, bridge_with

pytestmark = pytest.mark.anyio

ARRIVED = 1000.0
THOUGHT = 0.02


class Thoughtful:
    """The connection of a host whose person takes a while, and then allows everything."""

    client_params = None
    can_send_request = True

    async def elicit_form(self, *_: object) -> ElicitResult:
        """Show a form."""
        await anyio.sleep(THOUGHT)
        return ElicitResult(action="accept", content={DECISION: "once"})


def call_of(bridge: Bridge) -> BridgeContext:
    session = cast("Any", Thoughtful())
    request = CallContext(
        session=session, lifespan_context=bridge, protocol_version="", method="tools/call", arrived=ARRIVED
    )
    return cast(
        "BridgeContext",
        SimpleNamespace(session=session, request_context=request, request_id=1, client_capabilities=FORMS),
    )


@pytest.mark.parametrize("asked", [None, 0, 5, 500])
async def test_a_call_accepts_a_start_as_long_as_its_wait_or_as_its_host_allows(
    tmp_path: Path, asked: float | None
) -> None:
    async with bridge_with("human", tmp_path) as bridge:
        deadlines = deadlines_of(call_of(bridge), asked)
    seconds = UNKNOWN_HOST_SECONDS if asked is None else asked
    start = max(UNKNOWN_HOST_SECONDS, LEAST_START_SECONDS, asked or 0)
    assert deadlines == Deadlines(start=ARRIVED + start, wait=ARRIVED + seconds, seconds=seconds, latest=math.inf)


async def test_the_time_that_a_person_takes_moves_every_deadline(tmp_path: Path) -> None:
    async with bridge_with("human", tmp_path) as bridge:
        call = call_of(bridge)
        before = deadlines_of(call, 5)
        for _ in range(2):
            assert await permit_shell(call, ["make"], str(tmp_path)) is None
        after = deadlines_of(call, 5)
    assert after.start - before.start == pytest.approx(after.wait - before.wait)
    assert after.start - before.start > THOUGHT
    assert after.seconds == before.seconds
