"""Handlers of operations that reply to OpenCode's requests, through ``runs/answers/reply_sender.py`` as all replies.

OpenCode 1 has a preview of the next API, with requests of its own, which only that lists. The same rules apply to them.
"""

from typing import cast

from opencode_mcp.runs.answers.answer_rules import PermissionReply, QuestionReply, RequestReply
from opencode_mcp.runs.report import PendingRequest
from opencode_mcp.runs.requests.open_requests import describe
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
    """Perform ``permission.reply`` of OpenCode 2, whose path also names the session."""
    path, body = request.call.path, cast("JsonMap", request.call.body)
    reply = PermissionReply(body["decision"], str(body.get("message") or ""))
    return await _answer(request, path["requestID"], path["sessionID"], reply)


async def answer_form(request: OperationRequest) -> OperationResult:
    """Perform ``session.form.reply``; the values are sent as the caller gave them, since a form's fields have types."""
    return await _answer_form(request, QuestionReply(()))


async def cancel_form(request: OperationRequest) -> OperationResult:
    """Perform ``session.form.cancel``."""
    return await _answer_form(request, QuestionReply())


async def _answer_form(request: OperationRequest, reply: QuestionReply) -> OperationResult:
    """Send the call of an operation that answers a form, if the rules allow such a reply."""
    bridge, path = request.bridge, request.call.path
    await bridge.hub.ensure()
    asked = await bridge.reply_sender.find(path["formID"], path["sessionID"])
    pending = describe(asked.request, subagent=bool(asked.parents))
    run = await bridge.reply_sender.run_of(asked.session, *asked.parents)
    bridge.reply_sender.check(run, pending, reply, calling_agent(request.ctx))
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
    """Convert a permission request of the second generation to the form of the first."""
    return PendingRequest(
        request_id=str(found["id"]),
        kind="permission",
        session_id=session_id,
        asks="",
        permission=str(found["action"]),
        patterns=list(found["resources"]),
        always=list(found.get("save") or []),
    )
