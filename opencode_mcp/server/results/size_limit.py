"""Limit the size of a whole result, its text and its structured content together, or of the content of a resource.

Pure. Detail is dropped in a fixed order: first the middle of a text that takes more than its half, then parts of the
longest fields of the structured content, each cut to an equal share of the room. No field is dropped, and no short
value is cut. Notes say what was left out and how to read it.
"""

from collections.abc import Mapping
from typing import Any, cast

from opencode_mcp.text.json_text import json_size

RESULT_BYTES = 60_000
"""Limit of a whole result, in bytes of JSON."""
RESULT_TEXT_BYTES = RESULT_BYTES // 2
"""Limit of the text of a result."""
TAIL_CHARACTERS = 2000
"""Characters at the end of a text that are kept: they say what the caller can do next."""
UNCUT_BYTES = 100
"""Bytes up to which a value is never cut: ids, states and numbers are all shorter."""
NOTES_FIELD = "left_out"
"""Field of the structured content that says what was left out."""
NOTES_BYTES = 1500
"""Room that is kept for the notes."""
SHOWN_NOTES = 8
MOST_SHARES = 8
"""An item of a list takes at most an eighth of its list's room, if there are that many items."""
WAYS_TO_READ: Mapping[str, str] = {
    "text": "opencode_session shows more of it",
    "transcript": "opencode_session shows it by pages",
    "files": "opencode_diff(files=[...]) shows any of them",
    "diff": "opencode_diff(files=[...]) shows more of fewer files",
    "pending": "opencode_session shows what is asked",
    "output": "opencode_session shows the answer",
    "error": "opencode_session shows it",
    "sessions": "a smaller limit shows more of each",
    "reply": "select and offset show the rest",
}
NARROWER_CALL = "a narrower call shows the rest"


def fit(text: str, data: Mapping[str, Any] | None) -> tuple[str, dict[str, Any] | None]:
    """Cut a result to ``RESULT_BYTES``.

    Returns:
        The text and the structured content. If the latter was cut, both say so.
    """
    shown = cut_text(text, RESULT_TEXT_BYTES, tail=TAIL_CHARACTERS)
    if data is None:
        return shown, None
    fitted, notes = fit_data(data, RESULT_BYTES - json_size(shown))
    return "\n\n".join([shown, *(f"Left out of the data: {note}." for note in notes)]), fitted


def fit_data(data: Mapping[str, Any], limit: int) -> tuple[dict[str, Any], list[str]]:
    """Cut structured content to so many bytes.

    Returns:
        The content that fits, and notes on what was left out; the content contains the notes, too.
    """
    room = limit - NOTES_BYTES
    if json_size(data) <= room:
        return dict(data), []
    fitted = _cut_map(data, room)
    cut = [key for key in data if fitted[key] != data[key]]
    notes = [_note(key, data[key], fitted[key]) for key in cut[:SHOWN_NOTES]]
    return fitted | {NOTES_FIELD: notes}, notes


def cut_text(text: str, limit: int, *, tail: int = 0) -> str:
    """Cut a text to so many bytes of JSON; the last ``tail`` characters are kept."""
    whole = json_size(text)
    if whole <= limit:
        return text
    end = text[len(text) - tail :] if tail else ""
    room = limit - json_size(end) - UNCUT_BYTES
    # Assumes that escapes are spread evenly over the text; the loop corrects for parts with more of them.
    shown = max(room * len(text) // whole, 0)
    while shown and json_size(text[:shown]) > room:
        shown = shown * 3 // 4
    left_out = len(text) - shown - len(end)
    return f"{text[:shown]}\n… ({left_out:,} of {len(text):,} characters left out)\n{end}".rstrip("\n")


def _note(key: str, whole: object, shown: object) -> str:
    way = WAYS_TO_READ.get(key, NARROWER_CALL)
    if not isinstance(whole, list) or not isinstance(shown, list):
        return f"{key} in part; {way}"
    return f"{key} shows {len(cast('list[object]', shown)):,} of {len(cast('list[object]', whole)):,}; {way}"


def _cut(value: object, limit: int) -> object:
    if json_size(value) <= limit:
        return value
    match value:
        case str():
            return cut_text(value, limit)
        case list():
            return _cut_list(cast("list[object]", value), limit)
        case Mapping():
            return _cut_map(cast("Mapping[str, object]", value), limit)
        case _:
            return value


def _cut_list(items: list[object], limit: int) -> list[object]:
    shown: list[object] = []
    room = limit
    for item in items:
        fitted = _cut(item, max(limit // min(len(items), MOST_SHARES), UNCUT_BYTES))
        room -= json_size(fitted) + 1
        if shown and room < 0:
            break
        shown.append(fitted)
    return shown


def _cut_map(fields: Mapping[str, object], limit: int) -> dict[str, object]:
    sizes = {key: json_size(value) for key, value in fields.items()}
    shares = _shares(sizes, limit - sum(json_size(key) + 2 for key in fields))
    return {key: _cut(value, shares[key]) for key, value in fields.items()}


def _shares(sizes: Mapping[str, int], room: int) -> dict[str, int]:
    """Return the room for each part: its size, or an equal share of the remaining room."""
    shares: dict[str, int] = {}
    for number, key in enumerate(sorted(sizes, key=lambda key: sizes[key])):
        shares[key] = max(min(sizes[key], room // (len(sizes) - number)), UNCUT_BYTES)
        room -= min(shares[key], sizes[key])
    return shares
