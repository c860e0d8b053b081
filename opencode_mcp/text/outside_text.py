"""Short text that others wrote, made safe for a line of ours: titles, paths, names, todos, what a terminal printed.

Pure, and of the standard library alone. It knows nothing of Markdown but its links; whole texts inside Markdown are the
business of ``markdown/excerpt.py``.
"""

import re

LINE_LIMIT = 300
"""Characters of a title or a path that a line of ours carries."""
TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Control characters, odd line ends, what turns the reading direction, lone surrogates, the invisible twin of ASCII.
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]")
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u2060-\u2064\u206a-\u206f\u3164\ufe00-\ufe0f\ufeff\ufff9-\ufffb]"
)
"""What takes no room or turns the direction: right in prose, and never needed to tell one name from another."""

PLAIN_BEGINNING = re.compile(r"[\w./@~]")
INDENT = "    "


def clean(text: str) -> str:
    """Leave out what a reader would not see or a terminal would obey; every kind of line end becomes a plain one."""
    if UNSEEN.search(text) is None:
        return text
    return UNSEEN.sub("\ufffd", LINE_ENDS.sub("\n", TERMINAL.sub("", text)))


def shorten(text: str, limit: int) -> str:
    """Put a text on one line of at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def one_line(text: str, limit: int = LINE_LIMIT) -> str:
    """Put somebody's short text, such as a title or a path, into a line of ours.

    It cannot end the line, hide a part of it or turn its direction, and a Markdown link or image in it is none.
    """
    if len(text) <= limit and text.isascii() and text.isprintable() and "](" not in text:
        return text
    return shorten(INVISIBLE.sub("\ufffd", clean(text)), limit).replace("](", "] (")


def is_plain(text: str) -> bool:
    """Whether a name can be shown as it is."""
    return one_line(text) == text


def indented(text: str) -> str:
    """Put somebody's text of several lines behind words of ours: no line of it begins where ours do.

    Markdown takes a heading, a list and a fence only for one that is indented less.
    """
    return clean(text).replace("\n", f"\n{INDENT}")


def beginning(text: str) -> str:
    """Put a name at the beginning of a line of ours, in quotes where it could pass for such a line."""
    line = one_line(text)
    return line if PLAIN_BEGINNING.match(line) and ": " not in line else f'"{line}"'


def valid_unicode(text: str) -> str:
    """Join surrogates that are a pair, and put U+FFFD in place of those that are not."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
