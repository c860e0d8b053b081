"""Names that resemble one that does not exist, for the hint of an error.

Pure. The comparison costs more than linear in the length of a name and in the number of names, and both come from
outside: so long names are not compared, and of many names only the first.
"""

from collections.abc import Iterable
from itertools import islice

LONGEST = 64
"""Characters of a name that is still compared."""
MOST = 500
"""Names that are compared at most."""


def closest(name: str, known: Iterable[str], *, count: int = 3, cutoff: float = 0.5) -> list[str]:
    """Return the known names that resemble a name most, the best first.

    Args:
        name: What was given; a longer one than ``LONGEST`` resembles nothing.
        known: The names that exist.
        count: How many to return at most.
        cutoff: How similar a name must be, from 0 to 1.
    """
    if len(name) > LONGEST:
        return []
    import difflib  # and some milliseconds, which only an error should pay

    short = (one for one in known if len(one) <= LONGEST)
    return difflib.get_close_matches(name, list(islice(short, MOST)), n=count, cutoff=cutoff)
