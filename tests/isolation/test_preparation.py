"""A new worktree is prepared as the operator set it, and a preparation that fails says why."""

import sys
from pathlib import Path

import pytest

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.isolation.preparation import prepare
from opencode_mcp.isolation.worktrees import Worktree, Worktrees
from opencode_mcp.options import IsolationSetup, as_isolation
from tests.isolation.repository import ENVIRONMENT, make_repository, put

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform == "win32", reason="the shell lines are POSIX's")]


@pytest.fixture
async def worktree(tmp_path: Path) -> Worktree:
    repository = make_repository(tmp_path / "project", {".gitignore": ".env\nkeys\n", "a.txt": "a\n"})
    put(repository, {".env": "KEY=1\n", "keys/one": "1\n"})
    return await Worktrees(tmp_path / "state", ENVIRONMENT).create(str(repository))


async def test_files_are_copied_before_the_command_runs(worktree: Worktree) -> None:
    setup = IsolationSetup((".env", "keys", "not-there"), "cat .env keys/one > both.txt")
    await prepare(worktree, setup, ENVIRONMENT)
    assert (Path(worktree.folder) / "both.txt").read_text() == "KEY=1\n1\n"


async def test_a_command_that_fails_is_reported_with_its_output(worktree: Worktree) -> None:
    with pytest.raises(InvalidSetting, match=r"exit code 3.*no such package"):
        await prepare(worktree, IsolationSetup((), "echo no such package; exit 3"), ENVIRONMENT)


@pytest.mark.parametrize(
    "value",
    ["npm ci", {"copy": ["/etc/passwd"]}, {"copy": ["../x"]}, {"copy": [""]}, {"setup": 3}, {"prepare": "npm ci"}],
)
def test_a_wrong_setting_is_refused(value: object) -> None:
    with pytest.raises(InvalidSetting):
        as_isolation(value)
