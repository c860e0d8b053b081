"""Match paths against the globs, folders or paths of a caller. Pure.

Globs come from callers, and braces multiply: ``{a,b}`` twenty times stands for a million globs. So the number of
alternatives is limited, and they are counted before they are expanded.
"""

import math
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from opencode_mcp.errors import InvalidArgument

GLOB_CHARACTERS = 1000
"""Longest glob, in characters."""
PATH_CHARACTERS = 5000
"""Longest path that is compared, in characters; no file system has longer ones."""
MOST_ALTERNATIVES = 200
"""Most globs that are compared with each path, counting all alternatives of all braces."""
BRACES = re.compile(r"\{([^{}]*)\}")


class Globs:
    """Set of globs, one of which a path must match.

    Args:
        wanted: Such as ``*.py``, ``src/**/*.{js,ts}``, ``docs`` or ``docs/notes.txt``.

    Raises:
        InvalidArgument: One is too long, or together they have too many alternatives.
    """

    def __init__(self, wanted: Sequence[str]) -> None:
        for glob in wanted:
            if len(glob) > GLOB_CHARACTERS:
                raise InvalidArgument(
                    f"A glob is {len(glob):,} characters long.", hint=f"It may have at most {GLOB_CHARACTERS:,}."
                )
        plain = [glob.removeprefix("./").strip("/") for glob in wanted]
        count = sum(map(_count, plain))
        if count > MOST_ALTERNATIVES:
            raise InvalidArgument(
                f"The globs have {count:,} alternatives."
                if count < GLOB_CHARACTERS
                else "The globs have too many alternatives.",
                hint=f"All braces expanded may give at most {MOST_ALTERNATIVES}; name folders, or use * instead.",
            )
        self._alternatives = [(glob, choice) for glob in plain for choice in _choices(glob.replace("**/", "*"))]

    def fit(self, path: str) -> bool:
        """Return True if a path matches. A glob without a slash matches names; a folder matches everything below it.

        Args:
            path: Relative to the project, with slashes.
        """
        plain = path[:PATH_CHARACTERS].rstrip("/")
        name = plain.rpartition("/")[2]
        for glob, choice in self._alternatives:
            if plain == glob or plain.startswith(f"{glob}/"):
                return True
            if fnmatchcase(plain if "/" in glob else name, choice):
                return True
        return False


def _count(glob: str) -> int:
    return math.prod(inner.count(",") + 1 for inner in BRACES.findall(glob))


def _choices(glob: str) -> list[str]:
    """Expand the braces of a glob; nested braces stay."""
    choices = [""]
    end = 0
    for braces in BRACES.finditer(glob):
        before, end = glob[end : braces.start()], braces.end()
        choices = [f"{choice}{before}{inner}" for choice in choices for inner in braces[1].split(",")]
    return [f"{choice}{glob[end:]}" for choice in choices]
