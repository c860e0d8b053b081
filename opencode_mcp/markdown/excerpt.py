"""Text of others inside our own: made harmless, cut to a length, and delimited so that it cannot pass for ours.

Pure, without knowledge of OpenCode. All Markdown that is made with it follows one rule: text in a fence or a code span
is text of a person, a model or a tool; everything outside is the bridge's own.
"""

import re

from opencode_mcp.text.outside_text import clean, shorten

CODE_CHARACTERS = 120
"""Longest text of others in a line of our own, in characters."""
LONGEST_RUN = 24
"""Longest row of backticks that is shown: a fence must be longer, and must not outgrow its content."""
FENCE_LENGTH = 2 * (LONGEST_RUN + 1) + 2
"""Length of the longest pair of fences, in characters."""
BACKTICKS = re.compile("`+")
LONG_RUN = re.compile(f"`{{{LONGEST_RUN},}}")
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
    """Return the beginning of a text, to the end of a line if one is near."""
    if len(text) <= limit:
        return text
    whole_lines = text[:limit].rfind("\n") + 1
    return text[: whole_lines if whole_lines > limit * 3 // 4 else limit]


def tail(text: str, limit: int) -> str:
    """Return the end of a text, from the beginning of a line if one is near."""
    if len(text) <= limit:
        return text
    start = len(text) - limit
    line = text.find("\n", start - 1) + 1
    return text[line if 0 < line < start + limit // 4 else start :]


def _limit_backticks(text: str) -> str:
    return LONG_RUN.sub("`" * (LONGEST_RUN - 1) + "…", text)


def _longest_run(text: str) -> int:
    return max((len(run) for run in BACKTICKS.findall(text)), default=0)
