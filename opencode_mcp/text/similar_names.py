"""Similar names for the hint of an error about a name that does not exist.

Pure. The cost grows more than linearly with the length and the number of names, and both come from outside. Therefore
long names are not compared, and only the first of many names are.
"""

import difflib
from collections.abc import Iterable
from itertools import islice

from opencode_mcp.text.outside_text import one_line

NAME_CHARACTERS = 64
"""Longest name that is compared, in characters."""
COMPARED_NAMES = 500
"""Most names that are compared."""


def similar_names(name: str, known: Iterable[str], *, count: int = 3, cutoff: float = 0.5) -> list[str]:
    """Return the known names that are most similar to a name, the best first.

    Args:
        name: The given name; a name longer than ``NAME_CHARACTERS`` has no similar ones.
        known: The names that exist.
        count: Most names to return.
        cutoff: Least similarity, from 0 to 1.
    """
    if len(name) > NAME_CHARACTERS:
        return []
    short = (one for one in known if len(one) <= NAME_CHARACTERS)
    return difflib.get_close_matches(name, list(islice(short, COMPARED_NAMES)), n=count, cutoff=cutoff)


def suggest(name: str, known: Iterable[str]) -> str:
    """Write a sentence with the known names that resemble a name most, in alphabetical order; empty: none does."""
    return sentence_of(sorted(similar_names(name, known, count=5, cutoff=0.4)))


def sentence_of(names: Iterable[str]) -> str:
    """Write a sentence with some names, each in one line; empty: there are none."""
    listed = ", ".join(map(one_line, names))
    return f"Near it: {listed}." if listed else ""
