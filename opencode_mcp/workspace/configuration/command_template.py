"""Expansion of a slash command, and the shell lines and attachments in the expanded text.

OpenCode first inserts the arguments into the command's template, then runs every `` !`line` `` of the text, and then
attaches every name after an ``@``. It does so for arguments as for the template, and without a permission. Pure; the
rules are those of OpenCode 1.18, including the surprising ones. OpenCode 2 has the same, apart from ``mentions``.
"""

import re

from opencode_mcp.errors import InvalidArgument

BLANKS = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""White space in JavaScript; Python's definition differs."""
WORD = re.compile(rf"""\[[Ii][Mm][Aa][Gg][Ee][{BLANKS}]+[0-9]+\]|"[^"]*"|'[^']*'|[^{BLANKS}"']+""")
QUOTE = re.compile(r"""^["']|["']\Z""")
PLACE = re.compile(r"\$([0-9]+)")
ALL = "$ARGUMENTS"
REPLACED = re.compile(r"\$([$&`'])")
"""Patterns that JavaScript expands in a replacement text."""
SHELL = re.compile(r"!`([^`]+)`")
MENTION = re.compile(rf"(?<![0-9A-Za-z_`])@(\.?[^{BLANKS}`,.]*(?:\.[^{BLANKS}`,.]+)*)")
DIGITS = 15
"""Most digits of a placeholder that count: no command has so many arguments."""
COMMAND_CHARACTERS = 1_000_000
"""Longest expanded command, in characters."""


def expand(template: str, arguments: str) -> str:
    """Insert arguments into a template.

    ``$1``, ``$2`` and so on take one word each, and the last of them takes the rest; ``$ARGUMENTS`` takes the whole
    text. A template without placeholders gets the text at its end.

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
    """Split arguments as OpenCode does: at spaces outside of quotes, without the quotes."""
    return [QUOTE.sub("", word) for word in WORD.findall(arguments)]


def shell_lines(text: str) -> list[str]:
    """Return the lines that OpenCode runs in an expanded command."""
    return SHELL.findall(text)


def mentions(text: str, *, in_lines: bool = False) -> list[str]:
    """Return the names after an ``@`` that OpenCode looks up as files, except those in the output of shell lines.

    Args:
        text: The expanded text.
        in_lines: True if names in the shell lines themselves are looked up too, as OpenCode 2 does.
    """
    # The output may be empty or any text, so the text around it is parsed in both ways.
    texts = [SHELL.sub("", text), SHELL.sub(" ", text), *([text] if in_lines else ())]
    names = [name for one in texts for name in MENTION.findall(one)]
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
    # The inserted text may contain another ``$ARGUMENTS``.
    alls = template.count(ALL) + places * (arguments.count(ALL) + 1)
    if filled + alls * (len(arguments) + marks * filled) > COMMAND_CHARACTERS:
        raise InvalidArgument(
            f"The expanded command would have more than {COMMAND_CHARACTERS:,} characters.",
            hint="Use shorter arguments.",
        )
