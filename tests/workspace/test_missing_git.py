"""Git's own reason why OpenCode sees no branch in a directory."""

import shutil
import sys
from pathlib import Path

import pytest

from opencode_mcp.workspace.missing_git import why_without_git
from tests.harness.processes.isolation import basics
from tests.harness.project import git

pytestmark = pytest.mark.anyio


async def test_a_folder_without_git_is_called_so(tmp_path: Path) -> None:
    assert "is not a git repository" in await why_without_git(str(tmp_path), basics(), "Look again.")


async def test_a_detached_head_is_no_reason(project: Path) -> None:
    git(project, "checkout", "--quiet", "--detach")
    assert await why_without_git(str(project), basics(), "Look again.") == ""


def wrap_git(folder: Path, before: str) -> dict[str, str]:
    """Return an environment whose git runs a line of shell first."""
    real = shutil.which("git")
    folder.mkdir()
    program = folder / "git"
    program.write_text(f'#!/bin/sh\n{before}\nexec {real} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return basics() | {"PATH": str(folder)}


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
async def test_a_repository_of_another_user_is_called_so_with_the_remedy(project: Path, tmp_path: Path) -> None:
    # Git has this variable for tests of its own.
    environment = wrap_git(tmp_path / "wrapped", "export GIT_TEST_ASSUME_DIFFERENT_OWNER=1")
    text = await why_without_git(str(project), environment, "Look again.")
    assert "belongs to another user" in text
    assert f"git config --global --add safe.directory {project}" in text
    assert "is not a git repository" not in text


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
async def test_git_gets_no_password_of_the_environment(project: Path, tmp_path: Path) -> None:
    environment = wrap_git(tmp_path / "wrapped", f"/usr/bin/env > {tmp_path}/variables")
    secrets = {"OPENCODE_SERVER_PASSWORD": "letmein-1", "ANTHROPIC_API_KEY": "letmein-2"}
    await why_without_git(str(project), environment | secrets, "Look again.")
    variables = (tmp_path / "variables").read_text(encoding="utf-8")
    assert "PATH=" in variables
    assert "letmein" not in variables


@pytest.mark.parametrize("path", ["", "nowhere", "."])
async def test_a_missing_git_is_called_so(project: Path, tmp_path: Path, path: str) -> None:
    text = await why_without_git(str(project), {"PATH": path and str(tmp_path / path)}, "Look again.")
    assert "no git on the PATH" in text
    assert "is not a git repository" not in text


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
async def test_a_git_that_is_beside_a_relative_path_is_not_run(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin/git"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    await why_without_git(str(project), {"PATH": "bin"}, "Look again.")
    assert not (tmp_path / "ran").exists()


async def test_a_broken_repository_is_reported_in_gits_words(project: Path) -> None:
    with (project / ".git/config").open("a", encoding="utf-8") as config:
        config.write("[bad\n")
    text = await why_without_git(str(project), basics(), "Look again.")
    assert "git cannot use the repository" in text
    assert "bad config line" in text


async def test_a_repository_that_git_works_in_was_made_later(project: Path) -> None:
    text = await why_without_git(str(project), basics(), "Look again.")
    assert "OpenCode found no repository when it opened" in text
    assert text.endswith("Look again.")
