"""Open permissions and questions as text for a model and as structured content."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from opencode_mcp.runs.requests import always_text
from opencode_mcp.server.results.safe_text import ToDecide
from opencode_mcp.text.outside_text import INDENT, cut, indented, one_line

if TYPE_CHECKING:
    from opencode_mcp.runs.outcome.run_report import (
        PendingRequest,
    )

ALWAYS_CHARACTERS = 1000
"""Characters of the text on what the answer "always" would allow."""
BRIEF_CHARACTERS = 200
"""Characters of a text that the same data also contains in full."""


def request_data(request: "PendingRequest") -> dict[str, Any]:
    """Return a request as structured content, which contains a long command or question only once."""
    data = request.model_dump(mode="json", exclude_defaults=True)
    _change_patterns(data, _brief)
    if request.kind == "question":
        # The questions follow in full, with their options.
        data["asks"] = _brief(request.asks)
    if _is_decided_by_reader(request):
        data["asks"] = ToDecide(data["asks"])
        _change_patterns(data, ToDecide)
    return data


def _change_patterns(data: dict[str, Any], change: Callable[[str], str]) -> None:
    """Change each pattern of a request's data."""
    for name in ("patterns", "always"):
        if name in data:
            data[name] = [change(pattern) for pattern in data[name]]


def _is_decided_by_reader(request: "PendingRequest") -> bool:
    """Return True if the calling agent decides on the request, and therefore must see all of it."""
    return request.kind == "permission" and request.agent_may_answer


def _brief(text: str) -> str:
    return cut(text, BRIEF_CHARACTERS)


def request_text(request: "PendingRequest") -> str:
    """Return a request as text for a model."""
    whose = f" of the subagent {request.session_id}" if request.subagent else ""
    lines = [f"Waiting for a {request.kind}{whose} ({request.request_id}):"]
    if request.kind == "permission" or not request.questions:
        lines.append(INDENT + indented(request.asks))
    if request.always:
        lines.append(_always_line(request))
    lines += [INDENT + indented(text) for text in request.preface]
    for item in request.questions:
        lines += [f"Question: {indented(item['question'])}", *_choices(item)]
    text = "\n".join(lines)
    return ToDecide(text) if _is_decided_by_reader(request) else text


def _always_line(request: "PendingRequest") -> str:
    """Return the line on what the answer "always" would allow, and who may give it."""
    covers = always_text.always_covers(request.permission, request.always, request.always_lasts)
    only = "" if request.agent_may_always else " Only a person may choose it."
    return f'"always" would also allow {one_line(covers, ALWAYS_CHARACTERS)}.{only}'


def _choices(question: Mapping[str, Any]) -> list[str]:
    """Return the lines with the answers that a question offers."""
    lines = [_option(option) for option in question["options"]]
    if "type" in question:
        lines.append(f"- {one_line(question['takes'])}")
    elif question["own_words"]:
        lines.append("- or own words")
    return [*lines, *_rules_of_choice(question)]


def _rules_of_choice(question: Mapping[str, Any]) -> list[str]:
    """Return the lines on how many answers a question takes, and when it takes none."""
    rules = [
        "several may be chosen" if question["multiple"] else "",
        "" if question.get("required", True) else "may be left out: []",
        f"default: {one_line(str(question['default']))}" if "default" in question else "",
        f"only if {one_line(question['asked_if'])}" if "asked_if" in question else "",
    ]
    return [f"({rule})" for rule in rules if rule]


def _option(option: Mapping[str, Any]) -> str:
    """Return the line of an option; only its label, in quotes, belongs into the answer."""
    description = one_line(option["description"])
    return f'- "{one_line(option["label"])}"' + (f" ({description})" if description else "")
