"""Similar names for the hint of an error about a name that does not exist.

Pure. The cost grows more than linearly with the length and the number of names, and both come from outside. Therefore
long names are not compared, and only the first of many names are.
"""

from collections.abc import Iterable
from itertools import islice

LONGEST = 64
"""Longest name that is compared, in characters."""
MOST = 500
"""Most names that are compared."""


def closest(name: str, known: Iterable[str], *, count: int = 3, cutoff: float = 0.5) -> list[str]:
    """Return the known names that are most similar to a name, the best first.

    Args:
        name: The given name; a name longer than ``LONGEST`` has no similar ones.
        known: The names that exist.
        count: Most names to return.
        cutoff: Least similarity, from 0 to 1.
    """
    if len(name) > LONGEST:
        return []
    import difflib  # and some milliseconds, which only an error should pay

    short = (one for one in known if len(one) <= LONGEST)
    return difflib.get_close_matches(name, list(islice(short, MOST)), n=count, cutoff=cutoff)
