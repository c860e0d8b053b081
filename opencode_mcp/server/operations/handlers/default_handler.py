"""Plain calls: one request and one response, with the timeout of the operation."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from opencode_mcp.server.operations.handlers.handler import OperationHandler, OperationRequest, OperationResult

if TYPE_CHECKING:
    from opencode_mcp.opencode.versions import Generation

MINUTE_SECONDS = 60.0
HOUR_SECONDS = 60 * MINUTE_SECONDS
TIMEOUTS_1: Mapping[str, float] = {
    "session.command": HOUR_SECONDS,
    "session.init": HOUR_SECONDS,
    "session.prompt": HOUR_SECONDS,
    "session.shell": HOUR_SECONDS,
    "session.summarize": HOUR_SECONDS,
    "v2.session.compact": HOUR_SECONDS,
    "worktree.create": 10 * MINUTE_SECONDS,
    "worktree.reset": 10 * MINUTE_SECONDS,
    "v2.projectCopy.create": 10 * MINUTE_SECONDS,
    "global.upgrade": 10 * MINUTE_SECONDS,
    "experimental.projectCopy.generateName": 2 * MINUTE_SECONDS,
    "experimental.workspace.create": 2 * MINUTE_SECONDS,
    "mcp.add": 2 * MINUTE_SECONDS,
    "mcp.connect": 2 * MINUTE_SECONDS,
}
"""Timeouts of operations of OpenCode 1 that run a model or a command, or start something."""
TIMEOUTS_2: Mapping[str, float] = {
    "generate.text": HOUR_SECONDS,
    "session.generate": HOUR_SECONDS,
    "session.shell": HOUR_SECONDS,
    "plugin.update": 10 * MINUTE_SECONDS,
    "session.import": 10 * MINUTE_SECONDS,
    "worktree.create": 10 * MINUTE_SECONDS,
    "worktree.refresh": 10 * MINUTE_SECONDS,
    "integration.wellknown.add": 2 * MINUTE_SECONDS,
    "mcp.add": 2 * MINUTE_SECONDS,
    "mcp.connect": 2 * MINUTE_SECONDS,
    "plugin.check": 2 * MINUTE_SECONDS,
    "rpc.call": 2 * MINUTE_SECONDS,
    "websearch.query": 2 * MINUTE_SECONDS,
    "worktree.remove": 2 * MINUTE_SECONDS,
}
"""The same for operations of OpenCode 2; a prompt, a command and a compaction return at once there."""
TIMEOUTS: "Mapping[Generation, Mapping[str, float]]" = {1: TIMEOUTS_1, 2: TIMEOUTS_2}


async def send(request: OperationRequest) -> OperationResult:
    """Send the request and return the response."""
    operations = request.bridge.operations
    if (timeout := TIMEOUTS[request.operation.generation].get(request.operation.id)) is None:
        answer = await operations.send(request.operation, request.call)
    else:
        answer = await operations.send(request.operation, request.call, timeout=timeout, queued=False)
    return OperationResult(answer.value, answer.cursor)


PLAIN = OperationHandler(send)
"""The handler of most operations."""
