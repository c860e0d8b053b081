"""Handler of operations of OpenCode 2 whose replies are empty while it opens a directory."""

from opencode_mcp.server.operations.handlers.default_handler import send
from opencode_mcp.server.operations.handlers.handler import OperationRequest, OperationResult


async def read_when_open(request: OperationRequest) -> OperationResult:
    """Wait until the directory has its agents and models (``agent.list``, ``model.list``), then send the request.

    OpenCode 2 answers with empty lists for some seconds after the first request of a directory.
    """
    await request.bridge.client.open_project(request.call.directory)
    return await send(request)
