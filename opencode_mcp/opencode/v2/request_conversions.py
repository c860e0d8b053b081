"""Permissions and forms of OpenCode 2, converted to the bridge's requests, and answers converted to form replies.

Pure. OpenCode 2 asks its questions by forms: the question tool, MCP servers that elicit, and plugins.
"""

from collections.abc import Mapping, Sequence
from typing import Final, cast

from opencode_mcp.opencode.vocabulary.answer_parser import FieldValue, read_answers
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import FieldKind, Permission, Question
from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_map, as_maps, as_number, as_text, as_texts

NO_SESSION: Final = "global"
"""Session of a form that an MCP server opened: OpenCode knows only the directory."""
QUESTION_TOOL: Final = "question"
KINDS: Mapping[str, FieldKind] = {
    "string": "text",
    "number": "number",
    "integer": "integer",
    "boolean": "boolean",
    "multiselect": "choice",
    "external": "external",
}
"""Kinds of answers by the types of fields; a field of an unknown type takes a text."""


def permission_of(item: JsonMap) -> Permission:
    """Convert an entry of ``permission.request.list`` or the data of ``permission.asked``.

    Raises:
        BackendFailed: It has no id or no session.
    """
    call = _call(as_map(item.get("source")))
    return Permission.read(
        {
            "id": item.get("id"),
            "session_id": item.get("sessionID"),
            "permission": as_text(item.get("action")),
            "patterns": as_texts(item.get("resources")),
            "always": as_texts(item.get("save")),
            "always_lasts": "for_ever",
            "metadata": as_map(item.get("metadata")),
            "tool": call,
            "message": as_text(item.get("message")),
            "of_client": call is None,
        }
    )


def question_of(form: JsonMap) -> Question:
    """Convert an entry of ``form.list`` or the form of ``form.created``.

    Raises:
        BackendFailed: It has no id or no session.
    """
    metadata = as_map(form.get("metadata"))
    is_tool = metadata.get("kind") == QUESTION_TOOL
    call = _call(as_map(metadata.get("tool")))
    of_directory = form.get("sessionID") == NO_SESSION
    # A field without a key cannot be answered.
    fields = [field for field in as_maps(form.get("fields")) if as_text(field.get("key"))]
    return Question.read(
        {
            "id": form.get("id"),
            "session_id": form.get("sessionID"),
            "questions": [_question_item(field, is_tool=is_tool) for field in fields],
            "tool": call,
            # The question tool's title is the same for all questions.
            "title": "" if is_tool else as_text(form.get("title")),
            "message": as_text(metadata.get("message")),
            "server": as_text(metadata.get("server")),
            "of_directory": of_directory,
            "of_client": call is None and not of_directory,
        }
    )


def _call(source: JsonMap) -> JsonMap | None:
    message_id, call_id = as_text(source.get("messageID")), as_text(source.get("id"))
    return {"message_id": message_id, "call_id": call_id} if message_id and call_id else None


def _question_item(field: JsonMap, *, is_tool: bool) -> JsonMap:
    title, description = as_text(field.get("title")), as_text(field.get("description"))
    options = _options(field)
    kind = _kind_of(field, has_options=bool(options))
    return {
        "question": description or title or as_text(field.get("key")),
        "header": title if description else "",
        "options": options,
        "multiple": field.get("type") == "multiselect",
        # A text with options takes nothing else, unless it says so.
        "custom": field.get("custom") is True if options else kind != "choice",
        "key": as_text(field.get("key")),
        "kind": kind,
        # OpenCode accepts a question of the tool without an answer, which its model then gets as "Unanswered".
        "required": is_tool or kind == "external" or field.get("required") is True,
        "hidden": field.get("hidden") is True,
        "format": as_text(field.get("format")),
        "pattern": as_text(field.get("pattern")),
        "placeholder": as_text(field.get("placeholder")),
        "default": _default(field.get("default")),
        "url": as_text(field.get("url")),
        "when": [_condition(condition) for condition in as_maps(field.get("when"))],
        **_limits(field),
    }


def _kind_of(field: JsonMap, *, has_options: bool) -> FieldKind:
    kind = KINDS.get(as_text(field.get("type")), "text")
    return "choice" if kind == "text" and has_options else kind


def _options(field: JsonMap) -> list[JsonMap]:
    options: list[JsonMap] = []
    for option in as_maps(field.get("options")):
        value, label = as_text(option.get("value")), as_text(option.get("label"))
        if value or label:
            described = as_text(option.get("description"))
            options.append({"label": label or value, "description": described, "value": value})
    return options


def _limits(field: JsonMap) -> JsonMap:
    limits: JsonMap = {"minimum": as_number(field.get("minimum")), "maximum": as_number(field.get("maximum"))}
    for name in ("minLength", "maxLength", "minItems", "maxItems"):
        limit = as_number(field.get(name))
        if limit is not None:
            limits[name] = int(limit)
    return limits


def _default(value: object) -> FieldValue | None:
    match value:
        case bool() | str():
            return value
        case list():
            return as_texts(cast("object", value))
        case _:
            return as_number(value)


def _condition(condition: JsonMap) -> JsonMap:
    return {
        "key": as_text(condition.get("key")),
        "op": as_text(condition.get("op")) or "eq",
        "value": _awaited_value(condition.get("value")),
    }


def _awaited_value(value: object) -> str | float | bool:
    if isinstance(value, bool):
        return value
    number = as_number(value)
    return as_text(value) if number is None else number


def form_answer(question: Question, answers: Sequence[Sequence[str]]) -> dict[str, FieldValue]:
    """Convert answers to the ``answer`` of ``session.form.reply``.

    Args:
        question: From ``question_of``.
        answers: One list of texts for each of ``question.asked``, in order; an empty list leaves a question out.

    Raises:
        InvalidArgument: An answer does not fit its field, a required one is missing, or all are.
    """
    values = read_answers(question, answers)
    return {item.key: value for item, value in zip(question.questions, values, strict=True) if value is not None}
