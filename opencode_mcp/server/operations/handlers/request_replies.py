"""Handlers of operations that reply to OpenCode's requests, through ``runs/answers/reply_sender.py`` as all replies.

OpenCode 1 has a preview of the next API, with requests of its own, which only that lists. The same rules apply to them.
"""

from typing import cast

from opencode_mcp.runs.answers.answer_rules import PermissionReply, QuestionReply, RequestReply
from opencode_mcp.runs.outcome.run_report import PendingRequest
from opencode_mcp.server.operations.handlers.default_handler import send
from opencode_mcp.server.operations.handlers.handler import OperationRequest, OperationResult
from opencode_mcp.server.waiting.answerers import calling_agent
from opencode_mcp.text.json_types import JsonMap


async def answer_permission(request: OperationRequest) -> OperationResult:
    """Perform ``permission.reply``."""
    body = cast("JsonMap", request.call.body)
    reply = PermissionReply(body["reply"], str(body.get("message") or ""))
    return await _answer(request, request.call.path["requestID"], "", reply)


async def respond_to_permission(request: OperationRequest) -> OperationResult:
    """Perform ``permission.respond``, whose path also names the session."""
    path = request.call.path
    reply = PermissionReply(cast("JsonMap", request.call.body)["response"])
    return await _answer(request, path["permissionID"], path["sessionID"], reply)


async def answer_question(request: OperationRequest) -> OperationResult:
    """Perform ``question.reply``."""
    reply = QuestionReply(cast("JsonMap", request.call.body)["answers"])
    return await _answer(request, request.call.path["requestID"], "", reply)


async def reject_question(request: OperationRequest) -> OperationResult:
    """Perform ``question.reject``."""
    return await _answer(request, request.call.path["requestID"], "", QuestionReply())


async def _answer(request: OperationRequest, request_id: str, session_id: str, reply: RequestReply) -> OperationResult:
    bridge = request.bridge
    await bridge.hub.ensure()
    places = dict.fromkeys([request.call.directory, *await bridge.fence.roots()])
    asked = await bridge.reply_sender.find(request_id, session_id, [place for place in places if place])
    await bridge.reply_sender.send(asked, reply, calling_agent(request.ctx))
    return OperationResult(value=True)


async def decide_permission(request: OperationRequest) -> OperationResult:
    """Perform ``permission.reply`` of OpenCode 2, after ``permission.get``."""
    path, body = request.call.path, cast("JsonMap", request.call.body)
    found = cast("JsonMap", await request.bridge.client.call("permission.get", path=path))
    pending = _second_permission(cast("JsonMap", found["data"]), path["sessionID"])
    return await _send_checked(request, pending, PermissionReply(body["decision"], str(body.get("message") or "")))


async def answer_form(request: OperationRequest) -> OperationResult:
    """Perform ``session.form.reply``; the values are sent as the caller gave them, since a form's fields have types."""
    return await _send_checked(request, _form(request), QuestionReply(()))


async def cancel_form(request: OperationRequest) -> OperationResult:
    """Perform ``session.form.cancel``."""
    return await _send_checked(request, _form(request), QuestionReply())


def _form(request: OperationRequest) -> PendingRequest:
    path = request.call.path
    return PendingRequest(request_id=path["formID"], kind="question", session_id=path["sessionID"], asks="")


async def _send_checked(request: OperationRequest, pending: PendingRequest, reply: RequestReply) -> OperationResult:
    """Send a reply if the rules for the run of the session, and of those above it, allow it.

    OpenCode 2 itself refuses a reply to what is not open any more. A client may have made the request, so the session
    need not be at work.
    """
    bridge = request.bridge
    lineage = await bridge.requests.lineage(pending.session_id)
    sessions = [await bridge.fence.session(name) for name in lineage]
    bridge.reply_sender.check(await bridge.reply_sender.run_of(*sessions), pending, reply, calling_agent(request.ctx))
    return await send(request)


async def answer_second(request: OperationRequest) -> OperationResult:
    """Perform ``v2.session.permission.reply``, ``v2.session.question.reply`` or ``v2.session.question.reject``."""
    bridge, path = request.bridge, request.call.path
    session = await bridge.fence.session(path["sessionID"])
    body = cast("JsonMap", request.call.body or {})
    if "permission" in request.operation.id:
        found = cast("JsonMap", await bridge.client.call("v2.session.permission.get", path=path))
        pending = _second_permission(cast("JsonMap", found["data"]), session.id)
        reply: RequestReply = PermissionReply(body["reply"])
    else:
        pending = PendingRequest(request_id=path["requestID"], kind="question", session_id=session.id, asks="")
        reply = QuestionReply(body.get("answers"))
    bridge.reply_sender.check(await bridge.reply_sender.run_of(session), pending, reply, calling_agent(request.ctx))
    return await send(request)


def _second_permission(found: JsonMap, session_id: str) -> PendingRequest:
    """Convert a permission request of OpenCode 2, or of its preview in OpenCode 1, to the form of OpenCode 1."""
    return PendingRequest(
        request_id=str(found["id"]),
        kind="permission",
        session_id=session_id,
        asks="",
        permission=str(found["action"]),
        patterns=list(found["resources"]),
        always=list(found.get("save") or []),
    )
