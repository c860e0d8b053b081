"""Pages of a list. The cursor is the last shown entry, so entries that are added or removed elsewhere change no page.

Pure, and independent of the kind of entries.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.text.json_text import json_size
from opencode_mcp.text.outside_text import one_line

Item = TypeVar("Item")
UNITS = ("bytes", "KB", "MB", "GB", "TB")
STEP = 1000
CURSOR_MARK = "after:"
"""Beginning of a cursor that is a name, so that another text is not taken for one."""
SHOWN_CURSOR = 80
"""Longest part of a wrong cursor that an error shows, in characters."""
LONGEST_OFFSET = 9
"""Limit of the digits of a cursor that is a number; no tool returns a larger one."""
PAGE_BYTES = 24_000
"""Limit of the entries of a page, in bytes of JSON. A result holds them twice, as text and as data, and
``size_limit.py`` would cut a longer page at a place that no cursor names."""


def page_of(
    names: Sequence[str], limit: int, cursor: str, *, key: Callable[[str], Any] = lambda name: name, beside: int = 0
) -> tuple[list[str], str]:
    """Cut a page out of a list.

    Args:
        names: All names, in the order of their keys.
        limit: Largest number of names; there are fewer if they would not fit on a page.
        cursor: From the page before; empty: from the beginning. The name in it need not exist any more.
        key: Returns the key by which the names are ordered.
        beside: Bytes that a page contains for each name beside it.

    Returns:
        The page, and the cursor of the next page; empty at the end.

    Raises:
        InvalidArgument: The cursor is not from a page.
    """
    if cursor and not cursor.startswith(CURSOR_MARK):
        raise foreign_cursor(cursor)
    start = bisect_right(names, key(cursor.removeprefix(CURSOR_MARK)), key=key) if cursor else 0
    page = fitting(names[start : start + limit], beside=beside)
    return page, f"{CURSOR_MARK}{page[-1]}" if start + len(page) < len(names) else ""


def fitting(items: Iterable[Item], *, beside: int = 0) -> list[Item]:
    """Return as many of the first items as fit on a page with so many bytes beside each, but at least one."""
    page: list[Item] = []
    room = PAGE_BYTES
    for item in items:
        room -= json_size(item) + 1 + beside
        if page and room < 0:
            break
        page.append(item)
    return page


def foreign_cursor(cursor: str) -> InvalidArgument:
    """Return the error for a cursor that did not come with a page."""
    return InvalidArgument(
        f"The cursor {one_line(cursor, SHOWN_CURSOR)!r} is not from a page of this tool.",
        hint="Leave it out for the first page.",
    )


def offset_of(cursor: str) -> int:
    """Return the number of items before a page, for tools whose cursors are such numbers.

    Raises:
        InvalidArgument: The cursor is not from a page.
    """
    if cursor and not (cursor.isdecimal() and len(cursor) <= LONGEST_OFFSET):
        raise foreign_cursor(cursor)
    return int(cursor or 0)


def check_offset(offset: int, number: int, what: str) -> None:
    """Refuse an offset after the end: an empty page would look as if nothing was found.

    Args:
        offset: Number of items before the page.
        number: Number of all items.
        what: What the items are, in the plural.

    Raises:
        InvalidArgument: There is nothing after the offset, although a page before it exists.
    """
    if 0 < offset >= number:
        raise InvalidArgument(
            f"The cursor {offset} is after the end; {what} in all: {number}.", hint="Leave it out for the first page."
        )


def size_text(size: float) -> str:
    """Format a size in bytes for a person to read."""
    for unit in UNITS[:-1]:
        if size < STEP:
            return f"{size:.0f} {unit}" if unit == UNITS[0] or size >= 10 else f"{size:.1f} {unit}"  # noqa: PLR2004
        size /= STEP
    return f"{size:.0f} {UNITS[-1]}"
