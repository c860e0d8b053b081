"""Short text of others, made safe for a line of our own: titles, paths, names, todos, terminal output.

Pure, and uses only the standard library. Of Markdown it handles links only; ``markdown/excerpt.py`` embeds longer
texts.
"""

import json
import re

LINE_CHARACTERS = 300
"""Longest title or path in a line of our own, in characters."""
TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Control characters, unusual line ends, direction marks, lone surrogates, and the invisible copies of ASCII.
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]")
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u2060-\u2064\u206a-\u206f\u3164\ufe00-\ufe0f\ufeff\ufff9-\ufffb]"
)
"""Characters without width or with a change of direction: correct in prose, never needed to distinguish names."""

BREAKS = re.compile(r"[^\S ]+")
"""White space other than spaces."""
PLAIN_BEGINNING = re.compile(r"[\w./@~]")
INDENT = "    "


def clean(text: str) -> str:
    """Remove characters that are invisible or control a terminal; every kind of line end becomes a plain one."""
    if UNSEEN.search(text) is None:
        return text
    return UNSEEN.sub("\ufffd", LINE_ENDS.sub("\n", TERMINAL.sub("", text)))


def cut(text: str, characters: int) -> str:
    """Return the beginning of a text, with an ellipsis after it if there is more."""
    return text if len(text) <= characters else f"{text[:characters]}…"


def shorten(text: str, limit: int) -> str:
    """Put a text on one line of at most ``limit`` characters; spaces inside of it are kept."""
    line = " ".join(filter(None, (piece.strip() for piece in BREAKS.split(text))))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def one_line(text: str, limit: int = LINE_CHARACTERS) -> str:
    """Prepare a short text of others, such as a title or a path, for a line of our own.

    It cannot end the line, hide a part of it or change its direction, and a Markdown link or image in it has no effect.
    """
    if len(text) <= limit and text.isascii() and text.isprintable() and "](" not in text:
        return text
    return shorten(INVISIBLE.sub("\ufffd", clean(text)), limit).replace("](", "] (")


def name_in_line(name: str) -> str:
    """Prepare the name of a file for a line of our own; in quotes, with its escapes, if its blanks would be lost."""
    if name == name.strip() and BREAKS.search(name) is None:
        return one_line(name)
    return one_line(json.dumps(name, ensure_ascii=False))


def is_plain(text: str) -> bool:
    """Return True if a name can be shown unchanged."""
    return one_line(text) == text


def indented(text: str) -> str:
    """Indent a text of several lines, so that none of its lines can pass for one of our own.

    Markdown recognises headings, lists and fences only with less indentation.
    """
    return clean(text).replace("\n", f"\n{INDENT}")


def beginning(text: str) -> str:
    """Prepare a name for the beginning of a line of our own; in quotes if it could pass for such a line."""
    line = one_line(text)
    return line if PLAIN_BEGINNING.match(line) and ": " not in line else f'"{line}"'


def valid_unicode(text: str) -> str:
    """Join surrogates that form a pair, and replace all others by U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
