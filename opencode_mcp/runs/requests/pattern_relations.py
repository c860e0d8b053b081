"""Relations of two patterns: one covers the other, or both may match the same text.

Pure. Both answers err on the safe side: ``covers`` says yes only where it is certain, ``may_overlap`` says no only
where it is certain.
"""

import re
from fnmatch import fnmatchcase

WILD = re.compile(r"[*?\[]")
OPTIONAL_TAIL = " *"
"""OpenCode lets a pattern with this end fit the text without it, too: ``ls *`` fits ``ls``."""


def expansions(pattern: str) -> list[str]:
    """Return a pattern of OpenCode's as patterns that are taken literally."""
    return [pattern, pattern.removesuffix(OPTIONAL_TAIL)] if pattern.endswith(OPTIONAL_TAIL) else [pattern]


def covers(rule: str, pattern: str) -> bool:
    """Return True if every text that matches the pattern matches the rule."""
    if rule == pattern:
        return True
    if WILD.search(pattern) and WILD.search(rule.replace("*", "")):
        # A `?` or a `[...]` of the rule would take a wildcard of the pattern for a character.
        return False
    return fnmatchcase(pattern, rule)


def may_overlap(rule: str, pattern: str) -> bool:
    """Return True if a text may match both."""
    return _agree(_head(rule), _head(pattern)) and _agree(_tail(rule)[::-1], _tail(pattern)[::-1])


def _agree(first: str, second: str) -> bool:
    return first.startswith(second) or second.startswith(first)


def _head(pattern: str) -> str:
    """Return the text before the first wildcard."""
    found = WILD.search(pattern)
    return pattern[: found.start()] if found else pattern


def _tail(pattern: str) -> str:
    """Return the text after the last wildcard; empty if a bracket makes it unknown."""
    if "[" in pattern:
        return ""
    return re.split(r"[*?]", pattern)[-1]
