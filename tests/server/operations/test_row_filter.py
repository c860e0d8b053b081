"""Rows of directories, projects and sessions that a caller may not use are left out of replies."""

from typing import TYPE_CHECKING, Any, cast

import pytest

from opencode_mcp.errors import NotAllowed
from opencode_mcp.opencode.operation_catalog.arguments import split
from opencode_mcp.opencode.operation_catalog.catalog import TABLES
from opencode_mcp.server.operations.row_filter import LISTS, RowFilter, left_out_note

if TYPE_CHECKING:
    from opencode_mcp.opencode.versions import Generation
    from opencode_mcp.server.access.fence import Fence
    from opencode_mcp.server.access.owners import Owners

pytestmark = pytest.mark.anyio

OWN, FOREIGN = "/home/me/own", "/home/me/foreign"


class Fenced:
    """A fence and the owners of its projects: one directory, one project, one session."""

    async def allows(self, directory: str) -> bool:
        """Tell if a directory is the allowed one."""
        return directory == OWN

    async def session(self, session_id: str) -> None:
        """Refuse every session but one."""
        if session_id != "ses_own":
            raise NotAllowed("It works outside.")

    async def projects(self, _generation: "Generation") -> set[str]:
        """Return the allowed project."""
        return {"p_own"}


async def filtered(generation: "Generation", operation_id: str, value: Any) -> tuple[object, int]:  # noqa: ANN401
    row = TABLES[generation].operation(operation_id)
    rows = RowFilter(cast("Fence", Fenced()), cast("Owners", Fenced()))
    return await rows.filter(row, split(row, {}), value)


@pytest.mark.parametrize(
    ("api", "operation_id", "value", "kept"),
    [
        (1, "session.list", [{"directory": OWN}, {"directory": FOREIGN}], [{"directory": OWN}]),
        (1, "project.list", [{"id": "p_own"}, {"id": "p_other"}], [{"id": "p_own"}]),
        (2, "project.list", [{"id": "p_own"}, {"id": "p_other"}], [{"id": "p_own"}]),
        (2, "debug.location.list", [{"directory": OWN}, {"directory": FOREIGN}], [{"directory": OWN}]),
        (
            2,
            "session.list",
            {"data": [{"location": {"directory": OWN}}, {"location": {"directory": FOREIGN}}], "cursor": {"next": "c"}},
            {"data": [{"location": {"directory": OWN}}], "cursor": {"next": "c"}},
        ),
        (
            2,
            "session.active",
            {"data": {"ses_own": {"type": "running"}, "ses_other": {"type": "running"}}},
            {"data": {"ses_own": {"type": "running"}}},
        ),
        (
            2,
            "permission.saved.list",
            {"data": [{"projectID": "p_own"}, {"projectID": "p_other"}]},
            {"data": [{"projectID": "p_own"}]},
        ),
    ],
)
async def test_a_foreign_row_is_left_out(api: "Generation", operation_id: str, value: object, kept: object) -> None:
    assert await filtered(api, operation_id, value) == (kept, 1)
    row = TABLES[api].operation(operation_id)
    assert left_out_note(row, 1) == "1 rows are left out: they are outside of what is allowed."


async def test_a_reply_without_rows_is_returned_as_it_is() -> None:
    assert await filtered(2, "server.info", {"version": "2.1.2"}) == ({"version": "2.1.2"}, 0)


def test_every_list_is_of_an_operation_that_exists() -> None:
    for generation, lists in LISTS.items():
        assert lists.keys() <= TABLES[generation].operations.keys()
