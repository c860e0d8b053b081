"""A report says where the changed files are, and names no tool that is not listed."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from opencode_mcp.config import Settings
from opencode_mcp.isolation.worktrees import Worktrees
from opencode_mcp.server.isolated_runs import isolation_note
from tests.isolation.repository import ENVIRONMENT, make_repository

pytestmark = pytest.mark.anyio


async def test_a_note_names_the_branch_and_only_a_listed_tool(tmp_path: Path) -> None:
    worktrees = Worktrees(tmp_path / "state", ENVIRONMENT)
    made = await worktrees.create(str(make_repository(tmp_path / "project")))
    run = cast("Any", SimpleNamespace(directory=made.directory, session_id="ses_1"))
    changed, unchanged = (cast("Any", SimpleNamespace(files=files)) for files in (["a.txt"], []))

    def note(report: Any, *unlisted: str) -> str:  # noqa: ANN401 - a stand-in
        bridge = SimpleNamespace(settings=Settings(), worktrees=worktrees, unlisted_tools=unlisted)
        return isolation_note(cast("Any", bridge), run, report)

    assert made.branch in note(changed)
    assert "opencode_integrate" in note(changed)
    assert made.branch in note(changed, "opencode_integrate")
    assert "opencode_integrate" not in note(changed, "opencode_integrate")
    assert note(unchanged) == ""
