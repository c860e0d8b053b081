"""Plain calls: one request and one response, with the timeout of the operation."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from opencode_mcp.server.operations.handlers.handler import OperationHandler, OperationRequest, OperationResult

if TYPE_CHECKING:
    from opencode_mcp.opencode.versions import Generation

MINUTE = 60.0
HOUR = 60 * MINUTE
TIMEOUTS_1: Mapping[str, float] = {
    "session.command": HOUR,
    "session.init": HOUR,
    "session.prompt": HOUR,
    "session.shell": HOUR,
    "session.summarize": HOUR,
    "v2.session.compact": HOUR,
    "worktree.create": 10 * MINUTE,
    "worktree.reset": 10 * MINUTE,
    "v2.projectCopy.create": 10 * MINUTE,
    "global.upgrade": 10 * MINUTE,
    "experimental.projectCopy.generateName": 2 * MINUTE,
    "experimental.workspace.create": 2 * MINUTE,
    "mcp.add": 2 * MINUTE,
    "mcp.connect": 2 * MINUTE,
}
"""Timeouts of operations of OpenCode 1 that run a model or a command, or start something."""
TIMEOUTS_2: Mapping[str, float] = {
    "generate.text": HOUR,
    "session.generate": HOUR,
    "session.shell": HOUR,
    "plugin.update": 10 * MINUTE,
    "session.import": 10 * MINUTE,
    "worktree.create": 10 * MINUTE,
    "worktree.refresh": 10 * MINUTE,
    "integration.wellknown.add": 2 * MINUTE,
    "mcp.add": 2 * MINUTE,
    "mcp.connect": 2 * MINUTE,
    "plugin.check": 2 * MINUTE,
    "rpc.call": 2 * MINUTE,
    "websearch.query": 2 * MINUTE,
    "worktree.remove": 2 * MINUTE,
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
