"""Recognition of shell lines that change no file, such as ``git status``. Pure.

OpenCode names every file that differed after a step, also where somebody else changed it while a command ran. A line
that can be seen to read only is not made the author of such a change. A line that is not recognised may change files.
"""

import re

HIDING_CHARACTERS = re.compile("[$`\\\\<>(){}\x00-\x1f]")
"""Characters with which a shell may run or write something that the words do not show."""
QUIET = re.compile(r"(?<!\S)(?:2>&1|[12]?>\s?/dev/null)(?![^\s;&|])")
"""Redirections that change no file."""
COMMAND_SEPARATORS = re.compile(r"[;&|]+")
"""Separators of the simple commands in a shell line."""
PROGRAMS = frozenset(
    {
        *("[", "basename", "cat", "cd", "cmp", "cut", "date", "df", "diff", "dirname", "du", "echo", "egrep", "false"),
        *("fgrep", "file", "grep", "head", "id", "jq", "ls", "nl", "printf", "ps", "pwd", "readlink", "realpath"),
        *("seq", "sleep", "stat", "tail", "test", "tr", "true", "type", "uname", "wait", "wc", "which", "whoami"),
    }
)
"""Programs that change no file, with any arguments."""
GIT = frozenset({"blame", "cat-file", "describe", "diff", "log", "ls-files", "ls-tree", "rev-parse", "show", "status"})
"""Commands of git that change no file of the project."""
GIT_WRITES = ("--output", "--ext-diff", "--textconv")
"""Options of these that write a file or run a program."""
SEARCHERS = frozenset({"find", "rg"})
SEARCHER_ACTIONS = ("-delete", "-exec", "-fls", "-fprint", "-ok", "--pre")
"""Arguments of a search that do more than search."""


def reads_only(line: str) -> bool:
    """Return True if a shell line changes no file; False if that cannot be seen."""
    plain = QUIET.sub(" ", line)
    if not plain.strip() or HIDING_CHARACTERS.search(plain):
        return False
    commands = [part.split() for part in COMMAND_SEPARATORS.split(plain)]
    return all(_command_reads_only(words) for words in commands if words)


def _command_reads_only(words: list[str]) -> bool:
    program, arguments = words[0], words[1:]
    if program == "git":
        return bool(arguments) and arguments[0] in GIT and not _has(arguments, GIT_WRITES)
    if program in SEARCHERS:
        return not _has(arguments, SEARCHER_ACTIONS)
    return program in PROGRAMS


def _has(arguments: list[str], beginnings: tuple[str, ...]) -> bool:
    return any(argument.startswith(beginnings) for argument in arguments)
