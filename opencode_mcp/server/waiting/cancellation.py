"""Stop the run of a cancelled call, if the operator wants that (``abort_on_cancel``)."""

import logging
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import BackendError
from opencode_mcp.opencode.operations import catalog

if TYPE_CHECKING:
    from opencode_mcp.runs.record import Run
    from opencode_mcp.server.bridge import Bridge

logger = logging.getLogger(__name__)

FIRST_ATTEMPT_SECONDS = 1.5
"""Time for the first attempt. A host gives a bridge about two seconds to end."""
SECOND_ATTEMPT_SECONDS = 10.0
"""Time for a second attempt in the background, if the first one failed."""


async def stop_cancelled(bridge: "Bridge", run: "Run") -> None:
    """Stop a run, unless the operator denies that. A stop that takes long continues in the background."""
    if not bridge.allowed.allows(catalog.operation("session.abort")):
        return
    stopped = False
    with anyio.move_on_after(FIRST_ATTEMPT_SECONDS, shield=True):
        stopped = await _stop(bridge, run, FIRST_ATTEMPT_SECONDS)
    if not stopped:
        bridge.spawn(_stop, bridge, run, SECOND_ATTEMPT_SECONDS)


async def _stop(bridge: "Bridge", run: "Run", seconds: float) -> bool:
    """Stop a run, and return whether nothing of it is busy any more."""
    try:
        return not (await bridge.runs.stop(run, seconds)).busy
    except BackendError as error:
        logger.info("could not stop %s: %s", run.message_id, error)
        return False
