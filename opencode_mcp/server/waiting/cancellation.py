"""Stop the run of a cancelled call, if the operator wants that (``abort_on_cancel``)."""

import logging
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import BackendError
from opencode_mcp.server.access import operations_of_tools

if TYPE_CHECKING:
    from opencode_mcp.runs.run_record import Run
    from opencode_mcp.server.bridge import Bridge

logger = logging.getLogger(__name__)

FIRST_ATTEMPT_SECONDS = 1.5
"""Time for the first attempt. A host gives a bridge about two seconds to end."""
SECOND_ATTEMPT_SECONDS = 10.0
"""Time for a second attempt in the background, if the first one failed."""


async def stop_cancelled(bridge: "Bridge", run: "Run") -> None:
    """Stop the run of a cancelled call, if the operator wants that. A long stop continues in the background."""
    if not bridge.settings.abort_on_cancel:
        return
    stopped = False
    with anyio.move_on_after(FIRST_ATTEMPT_SECONDS, shield=True):
        stopped = await _stop(bridge, run, FIRST_ATTEMPT_SECONDS)
    if not stopped:
        bridge.spawn(_stop, bridge, run, SECOND_ATTEMPT_SECONDS)


async def _stop(bridge: "Bridge", run: "Run", seconds: float) -> bool:
    """Stop a run unless the operator denies that, and return True if there is nothing left to stop."""
    try:
        if not bridge.allowed.allows(await bridge.operation_of(operations_of_tools.STOP)):
            return True
        return not (await bridge.runs.stop(run, seconds)).busy
    except BackendError as error:
        logger.info("could not stop %s: %s", run.message_id, error)
        return False
