"""Forms for a person: convert a request of OpenCode's to a form, and the filled form to a reply.

Forms are MCP's form-mode elicitation: one flat object of texts and choices. Other modules send them: by a request in
the 2025 era, by an ``InputRequiredResult`` in the 2026 era.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from mcp_types import ClientCapabilities, ElicitRequestFormParams, ElicitResult

from opencode_mcp.runs.answers import answer_rules
from opencode_mcp.runs.requests import call_input
from opencode_mcp.server.results.safe_text import shown, shown_data, shown_to_decide
from opencode_mcp.text.outside_text import indented, one_line

if TYPE_CHECKING:
    from opencode_mcp.runs.answers.answer_rules import RequestReply
    from opencode_mcp.runs.report import PendingRequest

SHOWN = 3000
SHOWN_VALUE = 100
ALWAYS_LIMIT = 1000
NAMELESS = "(no name)"
REPLIES = {"once": "Allow once", "always": "Always allow", "reject": "Reject", "later": "Decide later"}
CHOICES = {text.casefold(): reply for reply, label in REPLIES.items() for text in (reply, label)}
"""Accepted spellings of a form's decision."""
DECISION, FEEDBACK = "decision", "feedback"
"""Names of the fields. Some hosts sort the fields by name, so the decision must come first."""
OPTIONAL_TEXT: Mapping[str, object] = {"type": "string", "default": ""}
"""Schema of an optional text. Without a default, a client may fill in null, and then refuse its own answer."""
TO_DECLINE = "Declining this form decides nothing; to refuse, choose “Reject”."
STILL_OPEN = "It is still open."
OWN_WORDS = "_own_words"


def can_ask(capabilities: ClientCapabilities | None) -> bool:
    """Return True if a client can show a form; one that declares elicitation without a mode can."""
    elicitation = capabilities.elicitation if capabilities else None
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)


def form_of(request: "PendingRequest") -> ElicitRequestFormParams:
    """Return the form for a request."""
    return _permission_form(request) if request.kind == "permission" else _question_form(request)


def _permission_form(request: "PendingRequest") -> ElicitRequestFormParams:

    always = one_line(call_input.always_covers(request.permission, request.always), ALWAYS_LIMIT)
    message = (
        f"{_asker(request)} asks permission for {_shown(request)}\n\n“Always” would also allow {always}. {TO_DECLINE}"
    )
    decision = {
        "type": "string",
        "title": "Answer",
        "enum": list(REPLIES),
        "enumNames": list(REPLIES.values()),
        "default": "once",
    }
    feedback = {**OPTIONAL_TEXT, "title": "Feedback", "description": "With reject: what to do instead"}
    return _form(shown_to_decide(message), {DECISION: decision, FEEDBACK: feedback}, [DECISION])


def _question_form(request: "PendingRequest") -> ElicitRequestFormParams:
    fields: dict[str, object] = {}
    required: list[str] = []
    for name, item in zip(_names(request), request.questions, strict=True):
        fields[name] = _choices(item)
        if item["own_words"] and item["options"]:
            title = "Or in your own words (this or the one above is required)"
            fields[name + OWN_WORDS] = {**OPTIONAL_TEXT, "title": title}
        else:
            required.append(name)
    return _form(shown(f"{_asker(request)} asks: {_shown(request)}"), fields, required)


def _names(request: "PendingRequest") -> list[str]:
    """Return the field names of the questions. Their order is that of the questions, since some hosts sort by name."""
    digits = len(str(len(request.questions)))
    return [f"answer_{number:0{digits}}" for number in range(1, len(request.questions) + 1)]


def _choices(item: dict[str, object]) -> dict[str, object]:
    labels = list(_labels(item))
    options = cast("list[dict[str, str]]", item["options"])
    explained = "; ".join(f"{label}: {option['description']}" for label, option in zip(labels, options, strict=True))
    question = str(item["question"])
    field: dict[str, object] = {
        "title": one_line(str(item.get("header") or question)),
        "description": one_line(f"{question} ({explained})" if explained else question, SHOWN),
    }
    if item["multiple"]:
        return field | {"type": "array", "items": {"type": "string", "enum": labels}}
    return field | {"type": "string"} | ({"enum": labels} if labels else {})


def _labels(item: Mapping[str, object]) -> dict[str, str]:
    """Return the labels of a question as a form shows them, each with OpenCode's own label, which a reply must use."""
    labels: dict[str, str] = {}
    for option in cast("list[dict[str, str]]", item["options"]):
        plain = shown(one_line(option["label"])) or NAMELESS
        number = 2
        while (name := plain if plain not in labels else f"{plain} ({number})") in labels:
            number += 1
        labels[name] = option["label"]
    return labels


def _asker(request: "PendingRequest") -> str:
    return f"OpenCode's subagent {request.session_id}" if request.subagent else "OpenCode"


def _shown(request: "PendingRequest") -> str:
    """Return the request's text; of a long one the beginning and the end, since either may hold the harmful part."""
    asks = indented(request.asks)
    left_out = len(asks) - SHOWN
    if left_out <= 0:
        return asks
    half = SHOWN // 2
    return f"{asks[:half]}\n… ({left_out:,} characters are left out here, the end follows)\n    {asks[-half:]}"


def _form(message: str, fields: dict[str, object], required: list[str]) -> ElicitRequestFormParams:
    schema = cast("dict[str, object]", shown_data({"type": "object", "properties": fields, "required": required}))
    return ElicitRequestFormParams(message=message, requested_schema=schema)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Reason why a form came back without an answer."""

    reason: str
    """The reason, as a sentence."""
    ask_again: bool = False
    """True if the form was accepted, so that a person is there who can be asked again."""


NOT_SHOWN = Unanswered(f"The host was asked to show a form and gave no answer. {STILL_OPEN}")
DECLINED = Unanswered(f"The form was declined, by the person or by a host without one. {STILL_OPEN}")
DISMISSED = Unanswered(f"The form was dismissed, by the person or by a host without one. {STILL_OPEN}")
POSTPONED = Unanswered("The person wants to decide later, so it is still open.")
EMPTY = Unanswered(f"The form was accepted without an answer in it. {STILL_OPEN}", ask_again=True)


def read_form(request: "PendingRequest", filled: ElicitResult) -> "RequestReply | Unanswered":
    """Convert a returned form to a reply, if its meaning is certain.

    A form that was declined or dismissed decides nothing: hosts without a person do so by themselves.
    """
    if filled.action != "accept":
        return DECLINED if filled.action == "decline" else DISMISSED
    content = {name: value for name, value in (filled.content or {}).items() if value not in (None, "", [])}
    if not content:
        return EMPTY
    return _permission_reply(content) if request.kind == "permission" else _question_reply(request, content)


FormContent = Mapping[str, str | int | float | bool | list[str] | None]


def _permission_reply(content: FormContent) -> "RequestReply | Unanswered":

    said = _decision(content)
    match CHOICES.get(str(said).strip().casefold()):
        case "later":
            return POSTPONED
        case "reject":
            return answer_rules.PermissionReply("reject", str(content.get(FEEDBACK) or ""))
        case "once" | "always" as reply:
            return answer_rules.PermissionReply(reply)
        case _:
            shown = "no decision" if said is None else f"{str(said)[:SHOWN_VALUE]!r}"
            known = ", ".join(REPLIES)
            return Unanswered(f"The form came back with {shown}; it takes one of {known}. {STILL_OPEN}")


def _decision(content: FormContent) -> object:
    """Return the decision of a form; some hosts send the only value under a name of their own."""
    if DECISION not in content and FEEDBACK not in content and len(content) == 1:
        return next(iter(content.values()))
    return content.get(DECISION)


def _question_reply(request: "PendingRequest", content: FormContent) -> "RequestReply | Unanswered":

    names = zip(_names(request), request.questions, strict=True)
    answers = [_answer(content, name, _labels(item)) for name, item in names]
    if not any(answers):
        return Unanswered(f"The form came back with {', '.join(content)} only; it takes {', '.join(_names(request))}.")
    return answer_rules.QuestionReply(answers)


def _answer(content: FormContent, name: str, labels: Mapping[str, str]) -> list[str]:
    """Return the labels and own words for one question; if it takes one answer, own words override a label."""
    chosen, own = content.get(name), content.get(name + OWN_WORDS)
    words = [str(own)] if own else []
    if isinstance(chosen, list):
        return [*(labels.get(label, label) for label in chosen), *words]
    return words or ([labels.get(str(chosen), str(chosen))] if chosen else [])
