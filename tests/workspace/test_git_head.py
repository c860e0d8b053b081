"""The branch that is checked out and the time of the last commit, read from git's own files."""

import os
import sys
import time
from pathlib import Path

import anyio
import pytest

from opencode_mcp.workspace.git_head import FILE_BYTES, checked_out, last_commit
from tests.harness.project import commit, git

pytestmark = pytest.mark.anyio

PATIENCE = 10.0


async def test_the_branch_is_distinguished_from_anywhere_in_the_repository(project: Path) -> None:
    git(project, "checkout", "--quiet", "-b", "topic/one")
    assert await checked_out(str(project)) == "topic/one"
    assert await checked_out(str(project / "src")) == "topic/one"


async def test_a_worktree_has_its_own_branch(project: Path, tmp_path: Path) -> None:
    git(project, "worktree", "add", "--quiet", "-b", "aside", str(tmp_path / "aside"))
    assert await checked_out(str(tmp_path / "aside")) == "aside"
    assert await checked_out(str(project)) == "main"


async def test_a_commit_without_a_branch_has_none(project: Path) -> None:
    git(project, "checkout", "--quiet", "--detach")
    assert await checked_out(str(project)) == ""


async def test_a_folder_outside_of_any_repository_has_none(tmp_path: Path) -> None:
    assert await checked_out(str(tmp_path)) == ""


async def test_a_broken_repository_has_none(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere\n", encoding="utf-8")
    assert await checked_out(str(tmp_path)) == ""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such pipes")
async def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    os.mkfifo(tmp_path / ".git" / "HEAD")
    with anyio.fail_after(PATIENCE):
        assert await checked_out(str(tmp_path)) == ""


async def test_of_a_huge_file_only_the_beginning_is_read(tmp_path: Path) -> None:
    with (tmp_path / ".git").open("wb") as file:
        file.write(b"gitdir: elsewhere\n")
        file.truncate(1 << 40)
    assert await checked_out(str(tmp_path)) == ""
    (tmp_path / ".git").write_text("gitdir: " + "x" * FILE_BYTES, encoding="utf-8")
    assert await checked_out(str(tmp_path)) == ""


async def test_the_last_commit_counts_and_no_checkout(tmp_path: Path) -> None:
    assert await last_commit(str(tmp_path)) == 0
    git(tmp_path, "init", "--initial-branch", "main")
    assert await last_commit(str(tmp_path)) == 0
    before = int(time.time()) * 1000
    (tmp_path / "a.txt").write_text("a\n")
    commit(tmp_path)
    committed = await last_commit(str(tmp_path))
    assert committed >= before
    log = tmp_path / ".git" / "logs" / "HEAD"
    zero = "0" * 40
    with log.open("a") as lines:
        lines.write(f"{zero} {zero} A <a@b> 99999999999 +0000\tcheckout: moving from main to other\n")
    assert await last_commit(str(tmp_path)) == committed
    assert await checked_out(str(tmp_path)) == "main"
