"""Handlers of operations that stop or delete a session: nothing may continue, and a denied stop stays denied."""

from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.session_stopping import SessionTree
from opencode_mcp.server.access.operations_of_tools import STOP
from opencode_mcp.server.operations.handlers.default_handler import send
from opencode_mcp.server.operations.handlers.handler import OperationRequest, OperationResult
from opencode_mcp.server.sessions import session_deletion


async def abort_tree(request: OperationRequest) -> OperationResult:
    """Stop a session with its subagents, and return the response (``session.abort``)."""
    session = await _session(request)
    session_deletion.stop_verification(request.bridge, session)
    busy = await SessionTree(request.bridge.client, session.id, session.directory).stop(
        session_deletion.DELETION_SECONDS
    )
    outcome = await send(request)
    if busy:
        outcome.notes.append(f"Still running: {', '.join(busy)}. Call it again.")
    return outcome


async def delete_tree(request: OperationRequest) -> OperationResult:
    """Stop a session with its subagents, then delete it (``session.delete``).

    Raises:
        NotAllowed: It is busy, and the operator denies stopping it.
        BackendTimeout: It could not be stopped, so it was not deleted.
    """
    session = await _session(request)
    await session_deletion.stop_before_deletion(request.bridge, session)
    return await _deleted(request, session)


async def remove_session(request: OperationRequest) -> OperationResult:
    """Delete a session (``session.remove``); OpenCode 2 stops it first, with its subagents.

    Raises:
        NotAllowed: It is busy, and the operator denies stopping it.
    """
    session = await _session(request)
    if await SessionTree(request.bridge.client, session.id, session.directory).busy_levels():
        request.bridge.allowed.check(await request.bridge.operation_of(STOP))
    session_deletion.stop_verification(request.bridge, session)
    return await _deleted(request, session)


async def _session(request: OperationRequest) -> Session:
    return await request.bridge.client.session_get(request.call.path["sessionID"])


async def _deleted(request: OperationRequest, session: Session) -> OperationResult:
    """Delete a session, and say what stays of its isolated worktree."""
    note = await session_deletion.worktree_note(request.bridge, session.directory)
    outcome = await send(request)
    await session_deletion.forget_worktree(request.bridge, session)
    outcome.notes += [note] if note else []
    return outcome
