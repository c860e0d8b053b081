"""Pages of a list, told by a cursor that is the last entry shown: what comes or goes elsewhere moves no entry.

Pure, and it knows nothing of what is listed.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.text.json_text import json_size

Item = TypeVar("Item")
UNITS = ("bytes", "KB", "MB", "GB", "TB")
STEP = 1000
PAGE_BYTES = 24_000
"""Of what a page lists, as JSON. A result holds it twice, as text and as data, and ``budget.py`` would cut a longer one
in a place from which no cursor goes on."""


def page_of(
    names: Sequence[str], limit: int, cursor: str, *, key: Callable[[str], Any] = lambda name: name
) -> tuple[list[str], str]:
    """Cut a page out of a list.

    Args:
        names: In the order of their keys.
        limit: How many at most; there are fewer where they would not fit on a page.
        cursor: The last name of the page before; empty: from the beginning. It need not be there any more.
        key: What they are ordered by.

    Returns:
        The page, and the cursor of the next; empty at the end.
    """
    start = bisect_right(names, key(cursor), key=key) if cursor else 0
    page = fitting(names[start : start + limit])
    return page, page[-1] if start + len(page) < len(names) else ""


def fitting(items: Iterable[Item]) -> list[Item]:
    """The first of some items, as many as fit on a page; one in any case."""
    page: list[Item] = []
    room = PAGE_BYTES
    for item in items:
        room -= json_size(item) + 1
        if page and room < 0:
            break
        page.append(item)
    return page


def foreign_cursor(cursor: str) -> InvalidArgument:
    """What to raise for a cursor that no page was given with."""
    return InvalidArgument(f"The cursor {cursor!r} is not from this tool.", hint="Leave it out for the first page.")


def size_text(size: float) -> str:
    """A size in bytes for a person to read."""
    for unit in UNITS[:-1]:
        if size < STEP:
            return f"{size:.0f} {unit}" if unit == UNITS[0] or size >= 10 else f"{size:.1f} {unit}"  # noqa: PLR2004
        size /= STEP
    return f"{size:.0f} {UNITS[-1]}"
