"""The command of a verification, as it is run in a directory."""

import sys
from pathlib import Path

import pytest

from opencode_mcp.errors import GitFailed
from opencode_mcp.isolation.left_files import LeftFiles
from opencode_mcp.isolation.worktrees import Worktrees
from opencode_mcp.runs.verification.command import REMOVED, verify
from opencode_mcp.runs.verification.wanted_verification import Verify
from tests.isolation.git_repository import ENVIRONMENT, make_repository

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform == "win32", reason="the lines are POSIX's")]


async def test_a_command_that_removes_its_directory_has_failed(tmp_path: Path) -> None:
    worktrees = Worktrees(tmp_path / "state", ENVIRONMENT)
    made = await worktrees.create(str(make_repository(tmp_path / "project", {"a.txt": "a\n"})))
    git = await worktrees.git_in(made.directory)
    request = Verify('rm -rf "$PWD"; true', 60)
    result = await verify(request, made.directory, LeftFiles(worktrees, "msg_1"), ENVIRONMENT)
    assert (result.outcome, result.exit_code, result.note) == ("failed", 0, REMOVED)
    with pytest.raises(GitFailed, match="does not exist any more"):
        await git.run("status")
