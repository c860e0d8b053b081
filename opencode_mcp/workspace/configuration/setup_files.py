"""Files of a project with which OpenCode decides what it runs and what it asks.

Pure: names alone are looked at. File systems read some names alike (in either case, with a dot at the end, in their
short form), so a name that any of them takes for such a file counts as one.
"""

import re
import unicodedata

FILES = frozenset({"opencode.json", "opencode.jsonc"})
FOLDERS = frozenset({".opencode", ".git", ".agents", ".claude", "node_modules"})
"""Plugins, commands, agents, skills and tools; hooks and configuration of git; programs that formatters start."""
SHORT = re.compile(r"(opencod?|git|agents|claude|node_m)~\d+(\..*)?")
"""The short form that Windows gives to a long name."""
SEPARATORS = re.compile(r"[/\\]+")


def decides_what_runs(path: str, directory: str = "") -> bool:
    """Whether a change of a file changes what OpenCode runs or asks.

    Args:
        path: The file's path, absolute or relative.
        directory: The project's; how it is called itself does not count.
    """
    names = [_plain(name) for name in SEPARATORS.split(_below(path, directory)) if name]
    return any(name in FOLDERS or SHORT.fullmatch(name) for name in names) or bool(names and names[-1] in FILES)


def _below(path: str, directory: str) -> str:
    parent = directory.rstrip("/\\")
    inside = bool(parent) and path.startswith((f"{parent}/", f"{parent}\\"))
    return path[len(parent) :] if inside else path


def _plain(name: str) -> str:
    """A name as the file system reads it that is the least exact."""
    seen = "".join(letter for letter in name if unicodedata.category(letter) != "Cf")
    stream = unicodedata.normalize("NFKC", seen).casefold().partition(":")[0]
    return stream.rstrip(" .")
