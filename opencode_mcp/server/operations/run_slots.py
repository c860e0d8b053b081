"""Places of the runs that operations start: they count among the runs at once, as those of the tools do."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.server.access.operations_of_tools import STARTS
from opencode_mcp.server.new_runs import start_limits

if TYPE_CHECKING:
    from opencode_mcp.opencode.operation_catalog.arguments import SplitArguments
    from opencode_mcp.opencode.tables.operation_table import Operation
    from opencode_mcp.server.bridge import Bridge

SHOWN_SECONDS = 2.0
"""Seconds that OpenCode may need to show a run after its response to the operation."""


@asynccontextmanager
async def place_of(bridge: "Bridge", operation: "Operation", call: "SplitArguments") -> AsyncGenerator[None]:
    """Hold a place while an operation is performed that makes a model work; for others, do nothing.

    Raises:
        LimitReached: A limit is used up. Nothing was sent.
        BackendError: OpenCode could not be read. Nothing was sent.
    """
    if operation.id not in STARTS[operation.generation]:
        yield
        return
    session_id = call.path.get("sessionID", "")
    async with start_limits.place(bridge) as starting:
        starting.name_session(session_id)
        if session_id and bridge.settings.runs_at_once is not None:
            async with _until_shown(bridge, session_id):
                yield
        else:
            yield


@asynccontextmanager
async def _until_shown(bridge: "Bridge", session_id: str) -> AsyncGenerator[None]:
    """Wait at the end until OpenCode shows that a session works, or has worked: some operations return before that."""
    state = bridge.hub.kept_state(session_id)
    ended_before = state.ended
    with bridge.hub.listen(session_id) as listener:
        yield
        with anyio.move_on_after(SHOWN_SECONDS):
            while state.status is None and state.ended == ended_before:
                await listener.wait(SHOWN_SECONDS)
