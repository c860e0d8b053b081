"""Files of a project that decide what OpenCode runs and asks permission for.

Pure: only names are examined. File systems treat some names as equal (in another case, with a dot at the end, in their
short form), so a name that any file system takes for such a file counts as one.
"""

import re
import unicodedata

FILES = frozenset({"opencode.json", "opencode.jsonc"})
FOLDERS = frozenset({".opencode", ".git", ".agents", ".claude", "node_modules"})
"""Folders of plugins, commands, agents, skills and tools, of git's hooks and configuration, of formatters' programs."""
SHORT = re.compile(r"(opencod?|git|agents|claude|node_m)~\d+(\..*)?")
"""Short form that Windows gives to a long name."""
SEPARATORS = re.compile(r"[/\\]+")


def decides_what_runs(path: str, directory: str = "") -> bool:
    """Return True if a change of a file changes what OpenCode runs or asks permission for.

    Args:
        path: Path of the file, absolute or relative.
        directory: Path of the project; its own name does not count.
    """
    names = [_plain(name) for name in SEPARATORS.split(_below(path, directory)) if name]
    return any(name in FOLDERS or SHORT.fullmatch(name) for name in names) or bool(names and names[-1] in FILES)


def _below(path: str, directory: str) -> str:
    parent = directory.rstrip("/\\")
    inside = bool(parent) and path.startswith((f"{parent}/", f"{parent}\\"))
    return path[len(parent) :] if inside else path


def _plain(name: str) -> str:
    """Return a name as the least exact file system reads it."""
    seen = "".join(letter for letter in name if unicodedata.category(letter) != "Cf")
    stream = unicodedata.normalize("NFKC", seen).casefold().partition(":")[0]
    return stream.rstrip(" .")
