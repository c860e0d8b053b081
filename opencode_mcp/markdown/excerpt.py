"""Other people's text inside ours: made harmless, cut to a length, and closed off so that it cannot pass for ours.

Pure, and it knows nothing of OpenCode. One rule holds for all Markdown made with it: what stands in a fence or a code
span is what somebody said or a tool answered; everything outside is the bridge's own words.
"""

import re

from opencode_mcp.text.outside_text import clean, shorten

CODE_LIMIT = 120
"""Characters of other people's text that a line of ours carries."""
LONGEST_RUN = 24
"""Backticks in a row that are shown; a fence has to be longer, and a fence must not outgrow what it holds."""
FENCE_LENGTH = 2 * (LONGEST_RUN + 1) + 2
"""Characters that the longest pair of fences takes."""
BACKTICKS = re.compile("`+")
LONG_RUN = re.compile(f"`{{{LONGEST_RUN},}}")
WORD = re.compile(r"[\w.:@+-]+(?:/[\w.:@+-]+)*")


def code(text: str, limit: int = CODE_LIMIT) -> str:
    """Put a text into one line as a code span."""
    line = _limit_backticks(shorten(clean(text), limit)) or " "
    delimiter = "`" * (_longest_run(line) + 1)
    padding = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{delimiter}{padding}{line}{padding}{delimiter}"


def name(text: str) -> str:
    """Put a name into a line: as it is where it is a plain word, else as a code span."""
    return text if len(text) <= CODE_LIMIT and WORD.fullmatch(text) else code(text)


def fence(text: str, language: str = "") -> str:
    """Put a text, already clean, into a fence that nothing in it can close."""
    inside = _limit_backticks(text.removesuffix("\n"))
    marks = "`" * max(3, _longest_run(inside) + 1)
    return f"{marks}{language}\n{inside}\n{marks}"


def head(text: str, limit: int) -> str:
    """The beginning of a text, to the end of a line if one is near."""
    if len(text) <= limit:
        return text
    whole_lines = text[:limit].rfind("\n") + 1
    return text[: whole_lines if whole_lines > limit * 3 // 4 else limit]


def tail(text: str, limit: int) -> str:
    """The end of a text, from the beginning of a line if one is near."""
    if len(text) <= limit:
        return text
    start = len(text) - limit
    line = text.find("\n", start - 1) + 1
    return text[line if 0 < line < start + limit // 4 else start :]


def _limit_backticks(text: str) -> str:
    return LONG_RUN.sub("`" * (LONGEST_RUN - 1) + "…", text)


def _longest_run(text: str) -> int:
    return max((len(run) for run in BACKTICKS.findall(text)), default=0)
