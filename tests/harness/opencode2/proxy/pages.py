"""Pages of a list, with the released server's cursors. Pure."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]
USUAL, MOST = 50, 200


class BadPage(Exception):
    """The request asks for a page that cannot be; the text says why."""

    def __init__(self, tag: str, message: str, **more: str) -> None:
        super().__init__(message)
        self.tag = tag
        self.more = more


def page(items: Sequence[Json], asked: Mapping[str, str]) -> Json:
    """Cut a page out of all items, oldest first in ``items``.

    Args:
        items: All items of the list.
        asked: The query of the request: ``limit``, and ``order`` or ``cursor``.

    Raises:
        BadPage: The query is wrong.
    """
    if asked.get("cursor") and asked.get("order"):
        raise BadPage("InvalidCursorError", "Cursor cannot be combined with order")
    limit = _limit(asked.get("limit", ""))
    order, at, direction = _position(asked)
    seen = list(items) if order == "asc" else list(reversed(items))
    found = _cut(seen, at, direction, limit)
    if not found:
        return {"data": [], "cursor": {}}
    cursor = {"previous": _cursor(found[0], order, "previous"), "next": _cursor(found[-1], order, "next")}
    return {"data": found, "cursor": cursor}


def _limit(text: str) -> int:
    limit = int(text) if text.isdigit() else 0
    if text and not 1 <= limit <= MOST:
        raise BadPage("InvalidRequestError", f"Expected a value between 1 and {MOST}", kind="Query")
    return limit or USUAL


def _position(asked: Mapping[str, str]) -> tuple[str, str, str]:
    """Find the order, the item to go on from, and the direction; without a cursor the item is empty."""
    cursor = asked.get("cursor")
    if not cursor:
        return asked.get("order") or "desc", "", "next"
    try:
        read = json.loads(base64.urlsafe_b64decode(cursor + "=="))
        return str(read["order"]), str(read["id"]), str(read["direction"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadPage("InvalidCursorError", "Invalid cursor") from error


def _cut(seen: Sequence[Json], at: str, direction: str, limit: int) -> list[Json]:
    if not at:
        return list(seen[:limit])
    place = next((place for place, item in enumerate(seen) if item["id"] == at), len(seen))
    if direction == "next":
        return list(seen[place + 1 : place + 1 + limit])
    return list(seen[max(0, place - limit) : place])


def _cursor(item: Json, order: str, direction: str) -> str:
    text = json.dumps({"id": item["id"], "order": order, "direction": direction})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
