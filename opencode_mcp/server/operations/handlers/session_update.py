"""Handler of ``session.update`` that keeps the bridges' notes in a session's record."""

from typing import TYPE_CHECKING, cast

from opencode_mcp.opencode.v1 import session_note
from opencode_mcp.runs.run_note import NOTE_KEY, metadata_of
from opencode_mcp.runs.session_history import given_answers
from opencode_mcp.server.operations.handlers.default_handler import send
from opencode_mcp.server.operations.handlers.handler import OperationRequest, OperationResult
from opencode_mcp.text.json_types import JsonMap

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session

NOTES = frozenset({NOTE_KEY, session_note.NOTE_KEY, given_answers.ANSWERS_KEY})
"""Keys of the bridges' own notes in the metadata of a session."""


async def update_session(request: OperationRequest) -> OperationResult:
    """Change a session's record, and keep the bridges' notes in ``metadata``, which OpenCode replaces as a whole.

    The notes are read and written back under the lock of the session: otherwise an older note could overwrite that of a
    run that starts in between.
    """
    body = cast("JsonMap", request.call.body or {})
    if "metadata" not in body:
        return await send(request)
    bridge, session_id = request.bridge, request.call.path["sessionID"]
    async with bridge.runs.turns.alone_in(session_id):
        session = await bridge.client.session_get(session_id)
        return await send(_with_note(request, body, session))


def _with_note(request: OperationRequest, body: JsonMap, session: "Session") -> OperationRequest:
    noted = {key: value for key, value in metadata_of(session).items() if key in NOTES}
    if not noted:
        return request
    kept = {**body, "metadata": {**body["metadata"], **noted}}
    return request.with_call(request.call._replace(body=kept))
