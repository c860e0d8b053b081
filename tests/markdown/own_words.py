"""Reads rendered Markdown as CommonMark does, as far as it matters: what is inside fences and code spans, what not."""

import re
from collections.abc import Iterator

FENCE = re.compile(r" {0,3}(`{3,})[^`]*")
CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")
QUOTED = "> "


def own_words(markdown: str) -> list[str]:
    """The lines outside fences, without quote marks, and with nothing left of their code spans."""
    return [CODE_SPAN.sub("", line) for line in _outside_fences(markdown)]


def _outside_fences(markdown: str) -> Iterator[str]:
    fence, depth = "", 0
    for line in markdown.split("\n"):
        inside, quotes = _unquote(line, depth if fence else None)
        if fence and quotes == depth:
            fence = "" if _closes(inside, fence) else fence
            continue
        opening = FENCE.fullmatch(inside)
        fence, depth = (opening[1], quotes) if opening else ("", 0)
        if not opening:
            yield inside


def _unquote(line: str, most: int | None) -> tuple[str, int]:
    """Take quote marks off; inside a fence no more of them than are before the fence."""
    quotes = 0
    while line.startswith(">") and (most is None or quotes < most):
        line, quotes = line[2:] if line.startswith(QUOTED) else line[1:], quotes + 1
    return line, quotes


def _closes(line: str, fence: str) -> bool:
    closing = FENCE.fullmatch(line.rstrip())
    return closing is not None and len(closing[1]) >= len(fence) and line.strip() == closing[1]
