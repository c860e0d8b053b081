"""Errors of OpenCode 2 as failures of the vocabulary. Pure.

OpenCode 2 puts the reply of a model's provider into the message of an error: ``Provider request failed with HTTP 401:
{"error": {"message": "No key"}}``. A person wants the sentence in it, and the status once.
"""

import re
from typing import Final

from opencode_mcp.opencode.vocabulary.wire.shared_values import ABORTED_ERROR, Failure
from opencode_mcp.text.json_text import read_json
from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_list, as_map, as_number, as_text

ABORTED = "aborted"
"""Type of the error of a step or a tool call that was stopped."""
INTERRUPTED_MESSAGE = "The run was interrupted."
NO_REASON = "The model's provider gave no reason."
PROVIDER_REPLY: Final = re.compile(r"[\w ]{1,60}? with HTTP (?P<status>[1-5]\d\d)(?::\s*(?P<body>.*))?", re.DOTALL)
"""Message of an error that quotes the reply of a provider."""
CUT_MESSAGE: Final = re.compile(r'"message"\s*:\s*"(?P<text>(?:[^"\\]|\\.)*)')
"""Message in JSON that cannot be parsed, such as the beginning of a long one."""
PAGE_TITLE: Final = re.compile(r"<title[^>]{0,200}>(?P<text>[^<]{1,200})", re.IGNORECASE)
PAGE: Final = re.compile(r"\s{0,100}(?:<!doctype html|<html)", re.IGNORECASE)
MESSAGE_FIELDS: Final = ("message", "detail", "error_description", "error", "errors", "title", "code")
"""Fields in which providers put the reason of a refusal, the clearest first."""
DEEPEST: Final = 4
"""Objects and lists within each other in which a reason is searched for."""


def failure_of(error: JsonMap) -> Failure | None:
    """Convert an error ``{type, message, status?}``; ``None`` for an empty object.

    Raises:
        BackendFailed: A text in it cannot be read.
    """
    if not error:
        return None
    kind = as_text(error.get("type")) or "UnknownError"
    message, status = _reason(error)
    data: dict[str, object] = {"message": message or kind}
    if status:
        data["statusCode"] = status
    return Failure.read({"name": ABORTED_ERROR if kind == ABORTED else kind, "data": data})


def reason_of(error: JsonMap) -> str:
    """Return an error in one sentence: the reason of the model's provider, and the HTTP status; empty for none."""
    message, status = _reason(error)
    if not status:
        return message
    return f"{message.removesuffix('.')}, HTTP {status}" if message else f"HTTP {status}"


def interruption(message: str = "") -> Failure:
    """Return the failure of a run that somebody stopped, with OpenCode's message if there is one."""
    return Failure(name=ABORTED_ERROR, data={"message": message or INTERRUPTED_MESSAGE})


def _reason(error: JsonMap) -> tuple[str, int | None]:
    """Return the message of an error without its wrapping, and the HTTP status of the provider's reply."""
    message = as_text(error.get("message"))
    number = as_number(error.get("status"))
    status = int(number) if number else None
    body = as_text(as_map(error.get("response")).get("body"))
    if quoted := PROVIDER_REPLY.fullmatch(message):
        status = status or int(quoted["status"])
        body = quoted["body"] or body
        return _reason_in(body) or NO_REASON, status
    return message or _reason_in(body), status


def _reason_in(body: str) -> str:
    """Return the reason in a provider's reply: JSON, perhaps with the JSON of another provider in it, or a text."""
    try:
        parsed = read_json(body)
    except ValueError:
        return _reason_in_text(body)
    reason = _reason_in_json(parsed) or body.strip()
    return _reason_in(reason) if reason.startswith("{") and len(reason) < len(body) else reason


def _reason_in_text(body: str) -> str:
    if cut := CUT_MESSAGE.search(body):
        return _unescaped(cut["text"])
    if PAGE.match(body):
        title = PAGE_TITLE.search(body)
        shown = f": {' '.join(title['text'].split())}" if title else ""
        return f"The model's provider answered with a web page{shown}."
    return body.strip()


def _unescaped(text: str) -> str:
    """Return the text of a JSON string that may end in the middle of an escape."""
    try:
        return as_text(read_json(f'"{text}"'))
    except ValueError:
        return text


def _reason_in_json(value: object, depth: int = 0) -> str:
    """Return the first text in the fields that providers use."""
    if isinstance(value, str):
        return value.strip()
    if depth > DEEPEST:
        return ""
    found = as_map(value)
    inner = [found[name] for name in MESSAGE_FIELDS if name in found] or as_list(value)
    for item in inner:
        if reason := _reason_in_json(item, depth + 1):
            return reason
    return ""
