"""Remove the rows of directories and projects from a reply in which a caller may not work.

Some operations return rows of every project of the machine. The table names the place of the owner in such rows.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from opencode_mcp.server.access.argument_rules import values_at

if TYPE_CHECKING:
    from opencode_mcp.opencode.operations.arguments import SplitArguments
    from opencode_mcp.server.access.operation_arguments import ArgumentChecker
    from opencode_mcp.server.access.paths import Fence
    from opencode_mcp.text.json_types import JsonMap


class ListedRows(NamedTuple):
    """Place of a list in a reply, and of the owner in its rows."""

    list_at: str
    """Field that holds the list; empty: the reply is the list."""
    owner_at: str
    kind: Literal["directory", "project", "session"]


LISTS: Mapping[str, ListedRows] = {
    "experimental.session.list": ListedRows("", "directory", "directory"),
    "project.list": ListedRows("", "id", "project"),
    "session.list": ListedRows("", "directory", "directory"),
    "sync.history.list": ListedRows("", "aggregate_id", "session"),
    "v2.permission.saved.list": ListedRows("data", "projectID", "project"),
    "v2.session.list": ListedRows("data", "location.directory", "directory"),
}
"""Lists by operation id. The history also has sessions that the call does not name; only the named ones stay."""


class RowFilter:
    """Removes rows from replies.

    Args:
        fence: Checks directories.
        checker: Returns the projects of the allowed directories.
    """

    def __init__(self, fence: "Fence", checker: "ArgumentChecker") -> None:
        self._fence = fence
        self._checker = checker

    async def filter(self, operation_id: str, call: "SplitArguments", value: object) -> tuple[object, int]:
        """Remove the rows that the caller may not see; return the rest, and the number of removed rows."""
        rows = LISTS.get(operation_id)
        if rows is None:
            return value, 0
        found = cast("JsonMap", value).get(rows.list_at) if rows.list_at else value
        listed = cast("list[object]", found)
        owners = [str(next(values_at(row, rows.owner_at), "")) for row in listed]
        allowed = await self._allowed(rows.kind, call, set(owners))
        kept = [row for row, owner in zip(listed, owners, strict=True) if owner in allowed]
        left_out = len(listed) - len(kept)
        return ({**cast("JsonMap", value), rows.list_at: kept} if rows.list_at else kept), left_out

    async def _allowed(self, kind: str, call: "SplitArguments", owners: set[str]) -> set[str]:
        if kind == "project":
            return await self._checker.projects()
        if kind == "session":
            return set(cast("JsonMap", call.body))
        return {owner for owner in owners if owner and await self._fence.allows(owner)}


def left_out_note(operation_id: str, number: int) -> str:
    """Return the note that rows were left out; empty if there are none."""
    if not number:
        return ""
    reason = "outside of what is allowed" if LISTS[operation_id].kind != "session" else "of sessions that are not named"
    return f"{number} rows are left out: they are {reason}."
