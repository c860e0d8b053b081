"""A limit counts the rows that the caller may see, on every kind of list of sessions."""

from typing import TYPE_CHECKING, cast

import pytest

from opencode_mcp.opencode.operation_catalog.arguments import split
from opencode_mcp.opencode.operation_catalog.catalog import TABLES
from opencode_mcp.server.operations.filled_pages import PAGED, filled_page
from opencode_mcp.server.operations.handlers.handler import OperationRequest, OperationResult
from opencode_mcp.server.operations.row_filter import LISTS, RowFilter
from tests.server.operations.test_row_filter import FOREIGN, OWN, Fenced

if TYPE_CHECKING:
    from opencode_mcp.opencode.versions import Generation
    from opencode_mcp.server.access.fence import Fence
    from opencode_mcp.server.access.owners import Owners
    from opencode_mcp.server.bridge import BridgeContext
    from opencode_mcp.text.json_types import JsonMap

pytestmark = pytest.mark.anyio

ALL: tuple[tuple["Generation", str], ...] = tuple(
    (generation, operation_id) for generation, lists in PAGED.items() for operation_id in lists
)
PLACES = [FOREIGN, FOREIGN, OWN, FOREIGN, OWN, OWN]
"""Directories of the sessions, the latest first."""


class Server:
    """OpenCode with some sessions, each kind of list with its own cursor."""

    def __init__(self, generation: "Generation", operation_id: str) -> None:
        self.operation = TABLES[generation].operation(operation_id)
        self.paged = PAGED[generation][operation_id]
        self.requests = 0

    async def perform(self, request: OperationRequest) -> OperationResult:
        """Return the page that a request asks for."""
        self.requests += 1
        query = request.call.query
        start = int(float(str(query.get("cursor") or 0)))
        end = min(start + int(str(query["limit"])), len(PLACES))
        rows = [self._row(place) for place in range(start, end)]
        cursor = str(end) if end < len(PLACES) and self.paged.has_cursor else ""
        if not self.paged.list_at:
            return OperationResult(rows, cursor)
        return OperationResult({self.paged.list_at: rows, "cursor": {"next": cursor or None}})

    def _row(self, place: int) -> "JsonMap":
        directory = PLACES[place]
        where: JsonMap = {"location": {"directory": directory}} if self.paged.list_at else {"directory": directory}
        return {"id": place, **where}

    async def listed(self, limit: int) -> tuple[list[int], str]:
        """Return the ids of the rows that a caller gets, and the cursor."""
        call = split(self.operation, {"limit": limit})
        rows = RowFilter(cast("Fence", Fenced()), cast("Owners", Fenced()))
        request = OperationRequest(cast("BridgeContext", None), self.operation, call, {})
        outcome, _ = await filled_page(request, self.perform, rows)
        if not self.paged.list_at:
            return [cast("int", row["id"]) for row in cast("list[JsonMap]", outcome.value)], outcome.cursor
        value = cast("dict[str, list[JsonMap]]", outcome.value)
        cursor = cast("dict[str, str | None]", cast("JsonMap", outcome.value)["cursor"])["next"]
        return [cast("int", row["id"]) for row in value[self.paged.list_at]], cursor or ""


@pytest.mark.parametrize(("api", "operation_id"), ALL)
async def test_a_page_is_filled_with_rows_that_the_caller_may_see(api: "Generation", operation_id: str) -> None:
    server = Server(api, operation_id)
    expected_cursor = "5" if server.paged.has_cursor else ""
    assert await server.listed(2) == ([2, 4], expected_cursor)
    assert await server.listed(10) == ([2, 4, 5], "")
    server.requests = 0
    assert (await server.listed(10), server.requests) == (([2, 4, 5], ""), 1), "nothing is left to read"


def test_every_list_of_sessions_by_directory_is_filled() -> None:
    for generation, lists in LISTS.items():
        named = {name for name, rows in lists.items() if rows.kind == "directory" and "session" in name}
        assert named == set(PAGED[generation])
