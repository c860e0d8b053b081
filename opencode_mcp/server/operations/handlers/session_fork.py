"""Handler of ``session.fork`` of OpenCode 1, which leaves a half-made copy where it cannot finish one."""

from typing import TYPE_CHECKING, cast

from opencode_mcp.server.operations.handlers.default_handler import send
from opencode_mcp.server.operations.handlers.handler import OperationRequest, OperationResult
from opencode_mcp.server.sessions.forking import refuse_if_uncopyable

if TYPE_CHECKING:
    from opencode_mcp.text.json_types import JsonMap


async def fork_session(request: OperationRequest) -> OperationResult:
    """Fork a session, unless OpenCode could not finish the copy.

    Raises:
        BackendFailed: It has a prompt that OpenCode cannot copy.
    """
    body = cast("JsonMap", request.call.body or {})
    await refuse_if_uncopyable(request.bridge, request.call.path["sessionID"], body.get("messageID") or "")
    return await send(request)
