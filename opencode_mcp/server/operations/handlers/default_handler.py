"""Plain calls: one request and one response, with the time-out of the operation."""

from collections.abc import Mapping

from opencode_mcp.server.operations.handlers.handler import OperationHandler, OperationRequest, OperationResult

MINUTE = 60.0
HOUR = 60 * MINUTE
TIMEOUTS: Mapping[str, float] = {
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
"""Time-outs of operations that run a model or a command, or start something."""


async def send(request: OperationRequest) -> OperationResult:
    """Send the request and return the response."""
    operations = request.bridge.operations
    if (timeout := TIMEOUTS.get(request.operation.id)) is None:
        answer = await operations.send(request.operation, request.call)
    else:
        answer = await operations.send(request.operation, request.call, timeout=timeout, queued=False)
    return OperationResult(answer.value, answer.cursor)


PLAIN = OperationHandler(send)
"""The handler of most operations."""
