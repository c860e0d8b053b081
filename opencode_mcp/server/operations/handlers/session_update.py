"""Handler of ``session.update`` that keeps the bridges' note in a session's record."""

from typing import TYPE_CHECKING, cast

from opencode_mcp.runs.run_note import KEY, metadata_of
from opencode_mcp.server.operations.handlers.default_handler import send
from opencode_mcp.server.operations.handlers.handler import OperationRequest, OperationResult
from opencode_mcp.text.json_types import JsonMap

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.models import Session


async def update_session(request: OperationRequest) -> OperationResult:
    """Change a session's record, and keep the bridge's note in ``metadata``, which OpenCode replaces as a whole.

    The note is read and written back under the lock of the session: otherwise the older note could overwrite that of a
    run that starts in between.
    """
    body = cast("JsonMap", request.call.body or {})
    if "metadata" not in body:
        return await send(request)
    bridge, session_id = request.bridge, request.call.path["sessionID"]
    async with bridge.runs.alone_in(session_id):
        session = await bridge.client.session_get(session_id)
        return await send(_with_note(request, body, session))


def _with_note(request: OperationRequest, body: JsonMap, session: "Session") -> OperationRequest:
    noted = metadata_of(session).get(KEY)
    if noted is None:
        return request
    kept = {**body, "metadata": {**body["metadata"], KEY: noted}}
    return request.with_call(request.call._replace(body=kept))
