"""The text that OpenCode makes of a slash command, and what in it runs a shell line or attaches a file.

OpenCode puts the arguments into the command's template first, then runs every `` !`line` `` of the text, and then
attaches what stands behind an ``@``: in the arguments as in the template, and without asking. Pure; the rules are those
of OpenCode 1.18, also where they surprise.
"""

import re

from opencode_mcp.errors import InvalidArgument

BLANKS = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What JavaScript takes for white space; Python's idea of it differs."""
WORD = re.compile(rf"""\[[Ii][Mm][Aa][Gg][Ee][{BLANKS}]+[0-9]+\]|"[^"]*"|'[^']*'|[^{BLANKS}"']+""")
QUOTE = re.compile(r"""^["']|["']\Z""")
PLACE = re.compile(r"\$([0-9]+)")
ALL = "$ARGUMENTS"
REPLACED = re.compile(r"\$([$&`'])")
"""What JavaScript replaces in a text that it puts in."""
SHELL = re.compile(r"!`([^`]+)`")
MENTION = re.compile(rf"(?<![0-9A-Za-z_`])@(\.?[^{BLANKS}`,.]*(?:\.[^{BLANKS}`,.]+)*)")
DIGITS = 15
"""Digits of a place that count: no command has so many arguments."""
LONGEST = 1_000_000
"""Characters that a command may come to."""


def expand(template: str, arguments: str) -> str:
    """Put arguments into a template.

    ``$1``, ``$2`` and so on take one word each, the last of them all that is left; ``$ARGUMENTS`` takes the whole text.
    A template without any of these gets the text at its end.

    Raises:
        InvalidArgument: The text would be too long.
    """
    places = [_number(digits) for digits in PLACE.findall(template)]
    _check_length(template, arguments, len(places))
    words, last = split_words(arguments), max(places, default=0)
    filled = PLACE.sub(lambda place: _word(words, _number(place[1]), last), template)
    text = _put_all(filled, arguments)
    appended = not places and ALL not in template and arguments.strip(BLANKS)
    return f"{text}\n\n{arguments}" if appended else text


def split_words(arguments: str) -> list[str]:
    """The arguments as OpenCode tells them apart: at the spaces outside of quotes, and without these."""
    return [QUOTE.sub("", word) for word in WORD.findall(arguments)]


def shell_lines(text: str) -> list[str]:
    """The lines that OpenCode runs in an expanded command."""
    return SHELL.findall(text)


def mentions(text: str) -> list[str]:
    """The names behind an ``@`` that OpenCode looks for as files; what a shell line prints cannot be known here."""
    # What is printed may be nothing or anything, so that the text around it is read in both ways.
    names = [name for filler in ("", " ") for name in MENTION.findall(SHELL.sub(filler, text))]
    return [name for name in dict.fromkeys(names) if name]


def _number(digits: str) -> int:
    return int(digits.lstrip("0")[:DIGITS] or "0")


def _word(words: list[str], place: int, last: int) -> str:
    index = place - 1
    if index >= len(words):
        return ""
    if place == last:
        return " ".join(words[index:])
    return words[index] if index >= 0 else "undefined"


def _put_all(text: str, arguments: str) -> str:
    """Replace every ``$ARGUMENTS``, as ``String.replaceAll`` does."""
    pieces: list[str] = []
    start = 0
    while (found := text.find(ALL, start)) >= 0:
        after = found + len(ALL)
        pieces += [text[start:found], _replacement(arguments, text, found, after)]
        start = after
    return "".join([*pieces, text[start:]])


def _replacement(arguments: str, text: str, start: int, end: int) -> str:
    meanings = {"$": "$", "&": ALL, "`": text[:start], "'": text[end:]}
    return REPLACED.sub(lambda mark: meanings[mark[1]], arguments)


def _check_length(template: str, arguments: str, places: int) -> None:
    filled = len(template) + places * len(arguments)
    marks = len(REPLACED.findall(arguments))
    # A place may be filled with another ``$ARGUMENTS``.
    alls = template.count(ALL) + places * (arguments.count(ALL) + 1)
    if filled + alls * (len(arguments) + marks * filled) > LONGEST:
        raise InvalidArgument(
            f"The command would come to more than {LONGEST:,} characters.", hint="Give it shorter arguments."
        )
