"""Putting what OpenCode asks to a person: a form made of a request, and an answer made of the filled form.

Forms are MCP's form-mode elicitation: one flat object of texts and choices. How a form travels (a live request in the
2025 era, an ``InputRequiredResult`` in that of 2026) is not known here.
"""

from typing import TYPE_CHECKING, cast

from mcp_types import ClientCapabilities, ElicitRequestFormParams, ElicitResult

if TYPE_CHECKING:
    from opencode_mcp.runs.report import PendingRequest
    from opencode_mcp.runs.requests import Requests

SHOWN = 3000
REPLIES = {"once": "Allow once", "always": "Always allow", "reject": "Reject"}
OWN_WORDS = "_own_words"


def can_ask(capabilities: ClientCapabilities | None) -> bool:
    """Whether a client can show a form; one that declares elicitation and no mode means forms."""
    elicitation = capabilities.elicitation if capabilities else None
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)


def form_of(request: "PendingRequest") -> ElicitRequestFormParams:
    """The form for a request."""
    return _permission_form(request) if request.kind == "permission" else _question_form(request)


def _permission_form(request: "PendingRequest") -> ElicitRequestFormParams:
    from opencode_mcp.runs.call_input import always_covers

    always = always_covers(request.permission, request.always)
    message = f"{_asker(request)} asks leave for {_shown(request)}\n\n“Always” would also allow {always}."
    reply = {
        "type": "string",
        "title": "Answer",
        "enum": list(REPLIES),
        "enumNames": list(REPLIES.values()),
        "default": "once",
    }
    feedback = {"type": "string", "title": "Feedback", "description": "With reject: what to do instead"}
    return _form(message, {"reply": reply, "message": feedback}, ["reply"])


def _question_form(request: "PendingRequest") -> ElicitRequestFormParams:
    fields: dict[str, object] = {}
    required: list[str] = []
    for number, item in enumerate(request.questions, 1):
        name = f"answer_{number}"
        fields[name] = _choices(item)
        if item["own_words"] and item["options"]:
            fields[name + OWN_WORDS] = {"type": "string", "title": "Or in your own words"}
        else:
            required.append(name)
    return _form(f"{_asker(request)} asks: {_shown(request)}", fields, required)


def _choices(item: dict[str, object]) -> dict[str, object]:
    options = cast("list[dict[str, str]]", item["options"])
    labels = [option["label"] for option in options]
    explained = "; ".join(f"{option['label']}: {option['description']}" for option in options)
    field: dict[str, object] = {
        "title": item.get("header") or item["question"],
        "description": f"{item['question']} ({explained})" if explained else item["question"],
    }
    if item["multiple"]:
        return field | {"type": "array", "items": {"type": "string", "enum": labels}}
    return field | {"type": "string"} | ({"enum": labels} if labels else {})


def _asker(request: "PendingRequest") -> str:
    return f"OpenCode's subagent {request.session_id}" if request.subagent else "OpenCode"


def _shown(request: "PendingRequest") -> str:
    asks = request.asks
    return asks if len(asks) <= SHOWN else f"{asks[:SHOWN]}\n… (cut)"


def _form(message: str, fields: dict[str, object], required: list[str]) -> ElicitRequestFormParams:
    schema: dict[str, object] = {"type": "object", "properties": fields, "required": required}
    return ElicitRequestFormParams(message=message, requested_schema=schema)


async def give_answer(requests: "Requests", request: "PendingRequest", directory: str, filled: ElicitResult) -> bool:
    """Pass a filled form on to OpenCode.

    Returns:
        Whether it was filled: one that the person, or a host without a person, declined or dismissed decides nothing.

    Raises:
        NotFound: The request is not open any more.
        InvalidArgument: The form does not answer what was asked.
    """
    if filled.action != "accept" or filled.content is None:
        return False
    content = filled.content
    if request.kind == "permission":
        reply = str(content.get("reply") or "")
        if reply not in REPLIES:
            return False
        message = str(content.get("message") or "") if reply == "reject" else ""
        await requests.reply_permission(request.request_id, directory, reply, message)
        return True
    answers = [_answer(content, f"answer_{number}") for number in range(1, len(request.questions) + 1)]
    if not any(answers):
        return False
    await requests.reply_question(request.request_id, directory, answers)
    return True


def _answer(content: "dict[str, str | int | float | bool | list[str] | None]", name: str) -> list[str]:
    """The labels and own words for one question; where it takes one answer, own words outweigh a label."""
    chosen, own = content.get(name), content.get(name + OWN_WORDS)
    words = [str(own)] if own else []
    if isinstance(chosen, list):
        return [*chosen, *words]
    return words or ([str(chosen)] if chosen else [])
