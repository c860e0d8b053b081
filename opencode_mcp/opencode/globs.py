"""Whether a path fits what a caller wrote: a glob, a folder, or a path. Pure."""

import re
from fnmatch import fnmatchcase


def fits(path: str, wanted: str) -> bool:
    """Whether a project's path fits; a glob without a slash is for names alone, a folder holds all below it.

    Args:
        path: Relative to the project, with slashes.
        wanted: Such as ``*.py``, ``src/**/*.{js,ts}``, ``docs`` or ``docs/notes.txt``.
    """
    plain, pattern = path.rstrip("/"), wanted.removeprefix("./").strip("/")
    if plain == pattern or plain.startswith(f"{pattern}/"):
        return True
    name = plain if "/" in pattern else plain.rpartition("/")[2]
    return any(fnmatchcase(name, choice) for choice in _choices(pattern.replace("**/", "*")))


def _choices(glob: str) -> list[str]:
    """The globs that one with braces stands for; braces in braces stay."""
    braces = re.search(r"\{([^{}]*)\}", glob)
    if not braces:
        return [glob]
    before, after = glob[: braces.start()], glob[braces.end() :]
    return [choice for inner in braces[1].split(",") for choice in _choices(f"{before}{inner}{after}")]
