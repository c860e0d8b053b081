"""Handlers of operations that stop or delete a session: nothing may continue, and a denied stop stays denied."""

from opencode_mcp.runs.stopping import SessionTree
from opencode_mcp.server.access.operation_uses import STOP
from opencode_mcp.server.operations.handlers.default_handler import send
from opencode_mcp.server.operations.handlers.handler import OperationRequest, OperationResult
from opencode_mcp.server.sessions.session_deletion import SECONDS, stop_before_deletion


async def abort_tree(request: OperationRequest) -> OperationResult:
    """Stop a session with its subagents, and return the response (``session.abort``)."""
    busy = await (await _tree(request)).stop(SECONDS)
    outcome = await send(request)
    if busy:
        outcome.notes.append(f"Still busy: {', '.join(busy)}. Call it again.")
    return outcome


async def delete_tree(request: OperationRequest) -> OperationResult:
    """Stop a session with its subagents, then delete it (``session.delete``).

    Raises:
        NotAllowed: It is busy, and the operator denies stopping it.
        BackendTimeout: It could not be stopped, so it was not deleted.
    """
    session = await request.bridge.client.session_get(request.call.path["sessionID"])
    await stop_before_deletion(request.bridge, session)
    return await send(request)


async def remove_session(request: OperationRequest) -> OperationResult:
    """Delete a session (``session.remove``); OpenCode 2 stops it first, with its subagents.

    Raises:
        NotAllowed: It is busy, and the operator denies stopping it.
    """
    if await (await _tree(request)).busy_levels():
        request.bridge.allowed.check(await request.bridge.operation_of(STOP))
    return await send(request)


async def _tree(request: OperationRequest) -> SessionTree:
    client = request.bridge.client
    session = await client.session_get(request.call.path["sessionID"])
    return SessionTree(client, session.id, session.directory)
