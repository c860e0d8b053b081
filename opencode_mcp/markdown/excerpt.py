"""Text of others inside our own: made harmless, cut to a length, and delimited so that it cannot pass for ours.

Pure, without knowledge of OpenCode. All Markdown that is made with it follows one rule: text in a fence or a code span
is text of a person, a model or a tool; everything outside is the bridge's own.
"""

import re
import unicodedata

from opencode_mcp.text.outside_text import clean, shorten

CODE_CHARACTERS = 120
"""Longest text of others in a line of our own, in characters."""
LONGEST_BACKTICK_ROW = 24
"""Longest row of backticks that is shown: a fence must be longer, and must not outgrow its content."""
FENCE_CHARACTERS = 2 * (LONGEST_BACKTICK_ROW + 1) + 2
"""Length of the longest pair of fences, in characters."""
BACKTICKS = re.compile("`+")
LONG_RUN = re.compile(f"`{{{LONGEST_BACKTICK_ROW},}}")
WORD_SEARCH_CHARACTERS = 100
"""Characters within which the end of a word is searched for."""
SPACE = re.compile(r"\s+")
FENCE_LINE = re.compile(r"^ {0,3}(?P<marks>`{3,}|~{3,})(?P<info>[^\n`]*)$", re.MULTILINE)
JOINER = "\u200d"
"""Zero-width joiner, which makes one emoji of several."""
SKIN_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
LONGEST_CHARACTER_CODE_POINTS = 20
"""Code points in the longest character that is kept in one piece."""
WORD = re.compile(r"[\w.:@+-]+(?:/[\w.:@+-]+)*")


def code(text: str, limit: int = CODE_CHARACTERS) -> str:
    """Return a text as a code span on one line."""
    line = _limit_backticks(shorten(clean(text), limit)) or " "
    delimiter = "`" * (_longest_run(line) + 1)
    padding = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{delimiter}{padding}{line}{padding}{delimiter}"


def name(text: str) -> str:
    """Return a name for a line: unchanged if it is a plain word, otherwise as a code span."""
    return text if len(text) <= CODE_CHARACTERS and WORD.fullmatch(text) else code(text)


def fence(text: str, language: str = "") -> str:
    """Return a text, already clean, in a fence that nothing in it can close."""
    inside = _limit_backticks(text.removesuffix("\n"))
    marks = "`" * max(3, _longest_run(inside) + 1)
    return f"{marks}{language}\n{inside}\n{marks}"


def head(text: str, limit: int) -> str:
    """Return the beginning of a text: to the end of a line if one is near, else to that of a word if one is near."""
    if len(text) <= limit:
        return text
    lines = text.rfind("\n", 0, limit) + 1
    if lines > limit * 3 // 4:
        return text[:lines]
    words = max(
        (found.end() for found in SPACE.finditer(text, max(limit - WORD_SEARCH_CHARACTERS, 0), limit)), default=0
    )
    return text[: words or _character_start(text, limit)]


def tail(text: str, limit: int) -> str:
    """Return the end of a text: from the start of a line if one is near, else from that of a word if one is near."""
    if len(text) <= limit:
        return text
    start = len(text) - limit
    line = text.find("\n", start - 1) + 1
    if 0 < line < start + limit // 4:
        return text[line:]
    word = SPACE.search(text, max(start - 1, 0), start + WORD_SEARCH_CHARACTERS)
    return text[word.end() if word else _character_end(text, start) :]


def open_fence(text: str) -> str:
    """Return the marks of the fence in a Markdown text that is open at its end; empty for none."""
    marks = ""
    for found in FENCE_LINE.finditer(text):
        line, info = found["marks"], found["info"]
        if not marks:
            marks = line
        elif line.startswith(marks) and not info.strip():
            marks = ""
    return marks


def _character_start(text: str, place: int) -> int:
    """Return a place at or a little before another one that is not within a character of several code points."""
    for start in range(place, max(place - LONGEST_CHARACTER_CODE_POINTS, 0), -1):
        if not _is_joined(text, start):
            return start
    return place


def _character_end(text: str, place: int) -> int:
    for end in range(place, min(place + LONGEST_CHARACTER_CODE_POINTS, len(text))):
        if not _is_joined(text, end):
            return end
    return place


def _is_joined(text: str, place: int) -> bool:
    """Return True if a code point belongs to the one before it: accents, variants of emoji, and joined ones."""
    code_point = text[place]
    is_mark = unicodedata.category(code_point) in {"Mn", "Me", "Mc"} or code_point == JOINER
    return place > 0 and (is_mark or text[place - 1] == JOINER or code_point in SKIN_TONES)


def _limit_backticks(text: str) -> str:
    return LONG_RUN.sub("`" * (LONGEST_BACKTICK_ROW - 1) + "…", text)


def _longest_run(text: str) -> int:
    return max((len(run) for run in BACKTICKS.findall(text)), default=0)
