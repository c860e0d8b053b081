"""Forms for a person: convert a request of OpenCode's to a form, and the filled form to a reply.

Forms are MCP's form-mode elicitation: one flat object of texts, numbers and choices. A web page that the person must
open is shown by MCP's URL mode, if the client has it. Other modules send the forms: by a request in the 2025 era, by an
``InputRequiredResult`` in the 2026 era.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from mcp_types import ClientCapabilities, ElicitRequestFormParams, ElicitRequestURLParams, ElicitResult

from opencode_mcp.opencode.vocabulary import answer_parser
from opencode_mcp.runs.answers import answer_rules
from opencode_mcp.runs.requests import always_text, request_descriptions
from opencode_mcp.server.results.safe_text import shown, shown_data, shown_to_decide
from opencode_mcp.server.waiting import question_fields
from opencode_mcp.text.outside_text import indented, one_line

if TYPE_CHECKING:
    from opencode_mcp.runs.answers.answer_rules import RequestReply
    from opencode_mcp.runs.outcome.run_report import PendingRequest

SHOWN_CHARACTERS = 3000
SHOWN_VALUE = 100
ALWAYS_LIMIT = 1000
REPLIES = {"once": "Allow once", "always": "Always allow", "reject": "Reject", "later": "Decide later"}
CHOICES = {text.casefold(): reply for reply, label in REPLIES.items() for text in (reply, label)}
"""Accepted spellings of a form's decision."""
DECISION, FEEDBACK = "decision", "feedback"
"""Names of the fields. Some hosts sort the fields by name, so the decision must come first."""
TO_DECLINE = "Declining this form decides nothing; to refuse, choose “Reject”."
STILL_OPEN = "It is still open."
FREE_TEXT = "_own_words"
WEB_PAGE = re.compile(r"https?://[!-.0-~][!-~]*")
"""Addresses that a client is asked to open."""


ElicitationParams = ElicitRequestFormParams | ElicitRequestURLParams


def can_ask(capabilities: ClientCapabilities | None) -> bool:
    """Return True if a client can show a form; one that declares elicitation without a mode can."""
    elicitation = capabilities.elicitation if capabilities else None
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)


def form_of(request: "PendingRequest", capabilities: ClientCapabilities | None = None) -> ElicitationParams:
    """Return the form for a request, in a mode that the client has; without capabilities, in form mode."""
    if request.kind == "permission":
        return _permission_form(request)
    url = _page_of(request, capabilities)
    return _url_form(request, url) if url else _question_form(request)


def _page_of(request: "PendingRequest", capabilities: ClientCapabilities | None) -> str:
    """Return the page to open, if this is all that is asked and the client can show it; empty otherwise."""
    elicitation = capabilities.elicitation if capabilities else None
    if elicitation is None or elicitation.url is None or len(request.questions) != 1:
        return ""
    url = str(request.questions[0].get("url") or "")
    return url if WEB_PAGE.fullmatch(url) else ""


def _url_form(request: "PendingRequest", url: str) -> ElicitRequestURLParams:
    message = shown(f"{_asker(request)} asks you to open a web page: {_shown(request)}")
    return ElicitRequestURLParams(message=message, url=url, elicitation_id=request.request_id)


def _permission_form(request: "PendingRequest") -> ElicitRequestFormParams:

    covers = always_text.always_covers(request.permission, request.always, request.always_lasts)
    always = one_line(covers, ALWAYS_LIMIT)
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
    feedback = {
        **question_fields.OPTIONAL_TEXT,
        "title": "Feedback",
        "description": "With reject: what to do instead",
    }
    return _form(shown_to_decide(message), {DECISION: decision, FEEDBACK: feedback}, [DECISION])


def _question_form(request: "PendingRequest") -> ElicitRequestFormParams:
    fields: dict[str, object] = {}
    required: list[str] = []
    for name, plain in zip(_names(request), request.questions, strict=True):
        item = request_descriptions.question_item(plain)
        asked_if = str(plain.get("asked_if") or "")
        is_required = item.required and not asked_if
        fields[name] = question_fields.field_schema(item, asked_if, is_required=is_required)
        if item.custom and item.options:
            title = "Or in your own words"
            title += " (this or the one above is required)" if is_required else ""
            fields[name + FREE_TEXT] = {**question_fields.OPTIONAL_TEXT, "title": title}
        elif is_required:
            required.append(name)
    return _form(shown(f"{_asker(request)} asks: {_shown(request)}"), fields, required)


def _names(request: "PendingRequest") -> list[str]:
    """Return the field names of the questions. Their order is that of the questions, since some hosts sort by name."""
    digits = len(str(len(request.questions)))
    return [f"answer_{number:0{digits}}" for number in range(1, len(request.questions) + 1)]


def _asker(request: "PendingRequest") -> str:
    return f"OpenCode's subagent {request.session_id}" if request.subagent else "OpenCode"


def _shown(request: "PendingRequest") -> str:
    """Return the request's text; of a long one the beginning and the end, since either may hold the harmful part."""
    asks = indented(request.asks)
    left_out = len(asks) - SHOWN_CHARACTERS
    if left_out <= 0:
        return asks
    half = SHOWN_CHARACTERS // 2
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


def read_form(
    request: "PendingRequest", filled: ElicitResult, capabilities: ClientCapabilities | None = None
) -> "RequestReply | Unanswered":
    """Convert a returned form to a reply, if its meaning is certain.

    A form that was declined or dismissed decides nothing: hosts without a person do so by themselves.

    Args:
        request: The request that the form was for.
        filled: The form.
        capabilities: Those of the client, as they were given to ``form_of``.
    """
    if filled.action != "accept":
        return DECLINED if filled.action == "decline" else DISMISSED
    if request.kind == "question" and _page_of(request, capabilities):
        return answer_rules.QuestionReply([["true"]])
    content = _filled_fields(filled)
    if not content:
        return EMPTY
    return _permission_reply(content) if request.kind == "permission" else _question_reply(request, content)


FormContent = Mapping[str, str | int | float | bool | list[str] | None]


def _filled_fields(filled: ElicitResult) -> FormContent:
    content: FormContent = filled.content or {}
    return {name: value for name, value in content.items() if value not in (None, "", [])}


def _permission_reply(content: FormContent) -> "RequestReply | Unanswered":

    decision = _decision(content)
    match CHOICES.get(str(decision).strip().casefold()):
        case "later":
            return POSTPONED
        case "reject":
            return answer_rules.PermissionReply("reject", str(content.get(FEEDBACK) or ""))
        case "once" | "always" as reply:
            return answer_rules.PermissionReply(reply)
        case _:
            shown = "no decision" if decision is None else f"{str(decision)[:SHOWN_VALUE]!r}"
            known = ", ".join(REPLIES)
            return Unanswered(f"The form came back with {shown}; it takes one of {known}. {STILL_OPEN}")


def _decision(content: FormContent) -> object:
    """Return the decision of a form; some hosts send the only value under a name of their own."""
    if DECISION not in content and FEEDBACK not in content and len(content) == 1:
        return next(iter(content.values()))
    return content.get(DECISION)


def _question_reply(request: "PendingRequest", content: FormContent) -> "RequestReply | Unanswered":

    names = zip(_names(request), request.questions, strict=True)
    answers = [
        _answer(content, name, question_fields.labels_of(request_descriptions.question_item(plain)))
        for name, plain in names
    ]
    if not any(answers):
        return Unanswered(f"The form came back with {', '.join(content)} only; it takes {', '.join(_names(request))}.")
    return answer_rules.QuestionReply(answers, whole_form=True)


def _answer(content: FormContent, name: str, labels: Mapping[str, str]) -> list[str]:
    """Return the labels and own words for one question; if it takes one answer, own words override a label."""
    chosen, own = content.get(name), content.get(name + FREE_TEXT)
    words = [str(own)] if own else []
    if isinstance(chosen, list):
        return [*(labels.get(label, label) for label in chosen), *words]
    return words or [labels.get(text, text) for text in answer_parser.texts_of(chosen)]
