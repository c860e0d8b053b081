"""Remove the rows of directories, projects and sessions from a reply in which a caller may not work.

Some operations return rows of every project of the machine. The table names the place of the owner in such rows.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from opencode_mcp.errors import NotAllowed, NotFound
from opencode_mcp.server.access.argument_values import values_at

if TYPE_CHECKING:
    from opencode_mcp.opencode.operation_catalog.arguments import SplitArguments
    from opencode_mcp.opencode.tables.operation_table import Operation
    from opencode_mcp.opencode.versions import Generation
    from opencode_mcp.server.access.fence import Fence
    from opencode_mcp.server.access.owners import Owners
    from opencode_mcp.text.json_types import JsonMap

OWNER_IS_KEY = ""
"""Place of the owner where the rows are a map by owner."""


class ListedRows(NamedTuple):
    """Place of rows in a reply, and of the owner in each row."""

    list_at: str
    """Field that holds the list or map; empty: the reply is the list."""
    owner_at: str
    kind: Literal["directory", "project", "session", "named session"]
    """Kind of the owner. Of named sessions only those stay that the call's body names."""


LISTS_1: Mapping[str, ListedRows] = {
    "experimental.session.list": ListedRows("", "directory", "directory"),
    "project.list": ListedRows("", "id", "project"),
    "session.list": ListedRows("", "directory", "directory"),
    "sync.history.list": ListedRows("", "aggregate_id", "named session"),
    "v2.permission.saved.list": ListedRows("data", "projectID", "project"),
    "v2.session.list": ListedRows("data", "location.directory", "directory"),
}
LISTS_2: Mapping[str, ListedRows] = {
    "debug.location.list": ListedRows("", "directory", "directory"),
    "permission.saved.list": ListedRows("data", "projectID", "project"),
    "project.list": ListedRows("", "id", "project"),
    "session.active": ListedRows("data", OWNER_IS_KEY, "session"),
    "session.list": ListedRows("data", "location.directory", "directory"),
}
LISTS: "Mapping[Generation, Mapping[str, ListedRows]]" = {1: LISTS_1, 2: LISTS_2}
"""Lists of each generation by operation id."""


class RowFilter:
    """Removes rows from replies.

    Args:
        fence: Checks directories and sessions.
        owners: Returns the projects of the allowed directories.
    """

    def __init__(self, fence: "Fence", owners: "Owners") -> None:
        self._fence = fence
        self._owners = owners

    async def filter(self, operation: "Operation", call: "SplitArguments", value: object) -> tuple[object, int]:
        """Remove the rows that the caller may not see; return the rest, and the number of removed rows."""
        rows = LISTS[operation.generation].get(operation.id)
        if rows is None:
            return value, 0
        found = cast("JsonMap", value).get(rows.list_at) if rows.list_at else value
        if rows.owner_at == OWNER_IS_KEY:
            kept, left_out = await self._filtered_map(rows, operation, call, cast("JsonMap", found))
        else:
            kept, left_out = await self._filtered_list(rows, operation, call, cast("list[object]", found))
        return ({**cast("JsonMap", value), rows.list_at: kept} if rows.list_at else kept), left_out

    async def _filtered_list(
        self, rows: ListedRows, operation: "Operation", call: "SplitArguments", listed: "list[object]"
    ) -> tuple[object, int]:
        owners = [str(next(values_at(row, rows.owner_at), "")) for row in listed]
        allowed = await self._allowed(rows.kind, operation, call, set(owners))
        kept = [row for row, owner in zip(listed, owners, strict=True) if owner in allowed]
        return kept, len(listed) - len(kept)

    async def _filtered_map(
        self, rows: ListedRows, operation: "Operation", call: "SplitArguments", found: "JsonMap"
    ) -> tuple[object, int]:
        allowed = await self._allowed(rows.kind, operation, call, set(found))
        kept = {owner: row for owner, row in found.items() if owner in allowed}
        return kept, len(found) - len(kept)

    async def _allowed(self, kind: str, operation: "Operation", call: "SplitArguments", owners: set[str]) -> set[str]:
        if kind == "project":
            return await self._owners.projects(operation.generation)
        if kind == "named session":
            return set(cast("JsonMap", call.body))
        allows = self._fence.allows if kind == "directory" else self._allows_session
        return {owner for owner in owners if owner and await allows(owner)}

    async def _allows_session(self, session_id: str) -> bool:
        try:
            await self._fence.session(session_id)
        except (NotAllowed, NotFound):
            return False
        return True


def left_out_note(operation: "Operation", number: int) -> str:
    """Return the note that rows were left out; empty if there are none."""
    if not number:
        return ""
    is_named = LISTS[operation.generation][operation.id].kind == "named session"
    reason = "of sessions that are not named" if is_named else "outside of what is allowed"
    return f"{number} rows are left out: they are {reason}."
