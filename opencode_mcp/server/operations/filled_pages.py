"""Fill pages of sessions from which rows were removed, so that ``limit`` counts the rows that the caller may see.

OpenCode applies the limit before the rows of other projects are removed, and a page of two rows could be empty although
the project has sessions. The following pages are read until the page is full, or there are no more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from opencode_mcp.server.operations.handlers.handler import OperationRequest, OperationResult, Perform
from opencode_mcp.text.json_values import as_list, as_map, as_number

if TYPE_CHECKING:
    from opencode_mcp.opencode.operation_catalog.arguments import SplitArguments
    from opencode_mcp.opencode.versions import Generation
    from opencode_mcp.server.operations.row_filter import RowFilter
    from opencode_mcp.text.json_types import JsonMap

MOST_PAGES = 50
WITHOUT_CURSOR = 10_000
"""Limit of the one request for a list that has no pages."""


@dataclass(frozen=True, slots=True)
class PagedList:
    """List of sessions with a limit."""

    list_at: str
    """Field that holds the list; empty: the reply is the list."""
    has_cursor: bool

    def rows(self, reply: object) -> list[object]:
        """Return the rows of a reply."""
        return as_list(as_map(reply).get(self.list_at) if self.list_at else reply)

    def append(self, outcome: OperationResult, page: OperationResult) -> None:
        """Add the rows of the next page to a result, which gets its cursor."""
        joined = [*self.rows(outcome.value), *self.rows(page.value)]
        outcome.value = {**cast("JsonMap", page.value), self.list_at: joined} if self.list_at else joined
        outcome.cursor = page.cursor


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
    paged = PAGED[request.operation.generation].get(request.operation.id)
    number = len(paged.rows(outcome.value)) if paged else 0
    outcome.value, left_out = await rows.filter(request.operation, request.call, outcome.value)
    limit = int(as_number(request.call.query.get("limit")) or 0)
    # A page with fewer rows than the limit is the last one.
    if paged is None or not left_out or not 0 < limit <= number:
        return outcome, left_out
    pages = _Pages(request, perform, rows, paged, limit)
    if not paged.has_cursor:
        return await pages.whole_list()
    return outcome, left_out + await pages.fill(outcome)


@dataclass(frozen=True, slots=True)
class _Pages:
    """Pages of a list from which rows are removed."""

    request: OperationRequest
    perform: "Perform"
    filter: "RowFilter"
    paged: PagedList
    limit: int
    """Rows that the caller wants."""

    async def whole_list(self) -> tuple[OperationResult, int]:
        """Read a list without pages whole, and cut it; return the number of removed rows as well."""
        given = self.request.call
        call = given._replace(query={**given.query, "limit": WITHOUT_CURSOR})
        outcome = await self.perform(self.request.with_call(call))
        outcome.value, left_out = await self.filter.filter(self.request.operation, call, outcome.value)
        outcome.value = self.paged.rows(outcome.value)[: self.limit]
        return outcome, left_out

    async def fill(self, outcome: OperationResult) -> int:
        """Add rows of the following pages until the limit is reached; return the number of removed rows."""
        removed = 0
        for _ in range(MOST_PAGES):
            missing = self.limit - len(self.paged.rows(outcome.value))
            following = _following(self.request.call, outcome, missing)
            if missing <= 0 or following is None:
                break
            page = await self.perform(self.request.with_call(following))
            number = len(self.paged.rows(page.value))
            page.value, left_out = await self.filter.filter(self.request.operation, following, page.value)
            removed += left_out
            self.paged.append(outcome, page)
            if number < missing:
                break
        return removed


def _following(call: "SplitArguments", outcome: OperationResult, limit: int) -> "SplitArguments | None":
    """Return the call for the next page; ``None`` after the last one."""
    if outcome.cursor:
        return call._replace(query={**call.query, "cursor": float(outcome.cursor), "limit": limit})
    cursor = as_map(as_map(outcome.value).get("cursor")).get("next")
    if not cursor:
        return None
    # This cursor holds the filters, and OpenCode accepts no others beside it.
    return call._replace(query={"cursor": cursor, "limit": limit})
