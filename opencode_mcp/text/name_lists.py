"""Lists of names in one line. Pure."""

from collections.abc import Sequence


def listed(names: Sequence[str], most: int) -> str:
    """Return the first of some names, and the number of the others if there are more than ``most``."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")
