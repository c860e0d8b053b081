"""Fields of a form: the schema of each question in MCP's restricted form of JSON Schema.

What the person enters is checked by ``opencode/vocabulary/answer_parser.py``.
"""

from collections.abc import Mapping

from opencode_mcp.opencode.vocabulary.answer_parser import FORMATS, takes, texts_of
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import QuestionItem
from opencode_mcp.server.results.safe_text import shown
from opencode_mcp.text.outside_text import one_line

LONGEST_DESCRIPTION = 3000
NAMELESS = "(no name)"
HIDDEN_PART = "A part of the address is hidden here; OpenCode itself shows it."
OPTIONAL_TEXT: Mapping[str, object] = {"type": "string", "default": ""}
"""Schema of an optional text. Without a default, a client may fill in null, and then refuse its own answer."""


def field_schema(item: QuestionItem, asked_if: str, *, is_required: bool) -> dict[str, object]:
    """Return the schema of a question's field.

    Args:
        item: The question.
        asked_if: Text of the conditions under which it is asked, which a form cannot check; empty for none.
        is_required: Whether the field must be filled.
    """
    field: dict[str, object] = {
        "title": one_line(item.header or item.question),
        "description": one_line(_explained(item, asked_if), LONGEST_DESCRIPTION),
    }
    match item.kind:
        case "choice":
            return field | _choice_schema(item)
        case "text":
            return field | _text_schema(item, is_required=is_required)
        case "number" | "integer":
            limits = {"minimum": item.minimum, "maximum": item.maximum, "default": _default(item, (int, float))}
            return field | {"type": item.kind} | _set(limits)
        case "boolean" | "external":
            return field | {"type": "boolean"} | _set({"default": _default(item, bool)})


def _explained(item: QuestionItem, asked_if: str) -> str:
    notes = [f"Only if {asked_if}."] if asked_if else []
    if item.kind == "choice":
        options = zip(labels_of(item), item.options, strict=True)
        notes += ["; ".join(f"{label}: {option.description}" for label, option in options)] if item.options else []
    elif item.kind == "external":
        notes.append(f"Open {item.url} and confirm it here.")
        notes += [HIDDEN_PART] if shown(item.url) != item.url else []
    else:
        notes.append(f"Takes {takes(item)}.")
    return f"{item.question} ({' '.join(notes)})" if notes else item.question


def _choice_schema(item: QuestionItem) -> dict[str, object]:
    return _several_schema(item) if item.multiple else _one_schema(item)


def _several_schema(item: QuestionItem) -> dict[str, object]:
    """Return the schema of a choice of several options."""
    labels = labels_of(item)
    chosen = [label for label, answer in labels.items() if answer in texts_of(item.default)]
    limits = _set({"minItems": item.min_items, "maxItems": None if item.custom else item.max_items})
    items: dict[str, object] = {"type": "string", "enum": list(labels)}
    return {"type": "array", "items": items} | limits | ({"default": chosen} if chosen else {})


def _one_schema(item: QuestionItem) -> dict[str, object]:
    """Return the schema of a choice of one option."""
    labels = labels_of(item)
    default = next((label for label, answer in labels.items() if answer == item.default), None)
    return {"type": "string"} | _set({"enum": list(labels) or None, "default": default})


def _text_schema(item: QuestionItem, *, is_required: bool) -> dict[str, object]:
    limits: dict[str, object] = _set(
        {
            "minLength": item.min_length,
            "maxLength": item.max_length,
            "pattern": item.pattern or None,
            "format": item.format if item.format in FORMATS else None,
            "default": _default(item, str),
        }
    )
    # An empty text as the default would not fit the limits of most fields.
    return ({} if is_required or limits else dict(OPTIONAL_TEXT)) | {"type": "string"} | limits


def _default(item: QuestionItem, kind: type | tuple[type, ...]) -> object:
    """Return the default of a question if it has the type of the field; a boolean is no number."""
    value = item.default
    return value if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)) else None


def _set(values: Mapping[str, object]) -> dict[str, object]:
    """Return the entries that have a value."""
    return {name: value for name, value in values.items() if value is not None}


def labels_of(item: QuestionItem) -> dict[str, str]:
    """Return the labels of a question as a form shows them, each with OpenCode's own text for it in a reply."""
    labels: dict[str, str] = {}
    for option in item.options:
        plain = shown(one_line(option.label)) or NAMELESS
        number = 2
        while (name := plain if plain not in labels else f"{plain} ({number})") in labels:
            number += 1
        labels[name] = option.answer
    return labels
