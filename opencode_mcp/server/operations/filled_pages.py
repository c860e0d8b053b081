"""Fill pages of sessions from which rows were removed, so that ``limit`` counts the rows that the caller may see.

OpenCode applies the limit before the rows of other projects are removed, and a page of two rows could be empty although
the project has sessions. The following pages are read until the page is full, or there are no more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from opencode_mcp.server.operations.handlers.handler import OperationRequest, OperationResult
from opencode_mcp.text.json_values import as_list, as_map, as_number

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from opencode_mcp.opencode.operations.arguments import SplitArguments
    from opencode_mcp.opencode.versions import Generation
    from opencode_mcp.server.operations.row_filter import RowFilter
    from opencode_mcp.text.json_types import JsonMap

    Perform = Callable[[OperationRequest], Awaitable[OperationResult]]

MOST_PAGES = 50
WITHOUT_CURSOR = 10_000
"""Limit of the one request for a list that has no pages."""


@dataclass(frozen=True, slots=True)
class PagedList:
    """List of sessions with a limit."""

    list_at: str
    """Field that holds the list; empty: the reply is the list."""
    has_cursor: bool


PAGED_1: Mapping[str, PagedList] = {
    "session.list": PagedList("", has_cursor=False),
    "experimental.session.list": PagedList("", has_cursor=True),
    "v2.session.list": PagedList("data", has_cursor=True),
}
PAGED_2: Mapping[str, PagedList] = {"session.list": PagedList("data", has_cursor=True)}
PAGED: "Mapping[Generation, Mapping[str, PagedList]]" = {1: PAGED_1, 2: PAGED_2}
"""Lists of each generation by operation id."""


async def filled_page(request: OperationRequest, perform: "Perform", rows: "RowFilter") -> tuple[OperationResult, int]:
    """Perform an operation and remove the rows that the caller may not see.

    Args:
        request: The call.
        perform: Performs it.
        rows: Removes rows.

    Returns:
        The result, and the number of removed rows.
    """
    outcome = await perform(request)
    asked = _rows_of(request, outcome.value)
    outcome.value, left_out = await rows.filter(request.operation, request.call, outcome.value)
    paged = PAGED[request.operation.generation].get(request.operation.id)
    limit = int(as_number(request.call.query.get("limit")) or 0)
    if paged is None or not left_out or limit <= 0 or len(asked) < limit:
        return outcome, left_out
    if not paged.has_cursor:
        return await _whole_list(request, perform, rows, limit)
    for _ in range(MOST_PAGES):
        missing = limit - len(_rows_of(request, outcome.value))
        following = _following(request.call, outcome, missing)
        if missing <= 0 or following is None:
            break
        page = await perform(request.with_call(following))
        number = len(_rows_of(request, page.value))
        page.value, more_left_out = await rows.filter(request.operation, following, page.value)
        left_out += more_left_out
        _append(request, outcome, page)
        if number < missing:
            break
    return outcome, left_out


async def _whole_list(
    request: OperationRequest, perform: "Perform", rows: "RowFilter", limit: int
) -> tuple[OperationResult, int]:
    """Read a list without pages whole, and cut it."""
    call = request.call._replace(query={**request.call.query, "limit": WITHOUT_CURSOR})
    outcome = await perform(request.with_call(call))
    outcome.value, left_out = await rows.filter(request.operation, call, outcome.value)
    outcome.value = _rows_of(request, outcome.value)[:limit]
    return outcome, left_out


def _rows_of(request: OperationRequest, value: object) -> list[object]:
    """Return the rows of a reply; none if the operation is no list of sessions."""
    paged = PAGED[request.operation.generation].get(request.operation.id)
    if paged is None:
        return []
    return as_list(as_map(value).get(paged.list_at) if paged.list_at else value)


def _following(call: "SplitArguments", outcome: OperationResult, limit: int) -> "SplitArguments | None":
    """Return the call for the next page; ``None`` after the last one."""
    if outcome.cursor:
        return call._replace(query={**call.query, "cursor": float(outcome.cursor), "limit": limit})
    cursor = as_map(as_map(outcome.value).get("cursor")).get("next")
    if not cursor:
        return None
    # This cursor holds the filters, and OpenCode accepts no others beside it.
    return call._replace(query={"cursor": cursor, "limit": limit})


def _append(request: OperationRequest, outcome: OperationResult, page: OperationResult) -> None:
    """Add the rows of the next page to a result, which gets its cursor."""
    joined = [*_rows_of(request, outcome.value), *_rows_of(request, page.value)]
    paged = PAGED[request.operation.generation][request.operation.id]
    outcome.value = {**cast("JsonMap", page.value), paged.list_at: joined} if paged.list_at else joined
    outcome.cursor = page.cursor
