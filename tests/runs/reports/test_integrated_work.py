"""Work that was brought to a checkout and taken out again is no longer there."""

from pathlib import Path

import pytest

from opencode_mcp.diffs.authorship import Period
from opencode_mcp.isolation.worktree_records import CheckoutChange, Records, Worktree
from opencode_mcp.runs.reports.integrated_work import brought_back

pytestmark = pytest.mark.anyio


async def test_an_undo_takes_back_the_latest_change_of_the_same_files(tmp_path: Path) -> None:
    def change(begin: float, path: str, *, is_undo: bool = False) -> CheckoutChange:
        return CheckoutChange(begin, begin + 1, "Work", [path], is_undo=is_undo)

    worktree = Worktree(
        name="one",
        repository=str(tmp_path),
        git_dir="",
        common_dir="",
        folder="",
        inside="",
        branch="",
        base="",
        created=0,
        session_id="ses_1",
        brought=[change(1, "a"), change(2, "a"), change(3, "b"), change(4, "a", is_undo=True)],
    )

    class Known(Records):
        def __init__(self) -> None:
            pass

        def all(self) -> list[Worktree]:
            return [worktree]

    calls = await brought_back(Known())(str(tmp_path), Period(0, 10))
    assert [call.is_undone for call in calls] == [False, True, False, True]
