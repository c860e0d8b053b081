"""An isolated worktree may be used exactly where its project may be used."""

from pathlib import Path

import pytest

from opencode_mcp.config import Settings
from opencode_mcp.isolation.worktrees import Worktree, Worktrees
from opencode_mcp.server.access.allowed_directories import Roots
from tests.isolation.repository import ENVIRONMENT, make_repository

pytestmark = pytest.mark.anyio


@pytest.fixture
def worktrees(tmp_path: Path) -> Worktrees:
    return Worktrees(tmp_path / "state", ENVIRONMENT)


@pytest.fixture
async def worktree(tmp_path: Path, worktrees: Worktrees) -> Worktree:
    return await worktrees.create(str(make_repository(tmp_path / "project")))


def roots_of(worktrees: Worktrees, project: Path) -> Roots:
    return Roots(Settings(directories=(str(project),)), worktrees)


async def test_a_worktree_of_a_listed_project_is_listed(
    tmp_path: Path, worktrees: Worktrees, worktree: Worktree
) -> None:
    roots = roots_of(worktrees, tmp_path / "project")
    assert roots.lists(Path(worktree.directory))
    assert roots.holding(Path(worktree.directory) / "src" / "b.txt") == worktree.directory
    assert roots.default() == str(tmp_path / "project")


async def test_a_worktree_of_another_project_is_not_listed(
    tmp_path: Path, worktrees: Worktrees, worktree: Worktree
) -> None:
    other = make_repository(tmp_path / "other")
    assert not roots_of(worktrees, other).lists(Path(worktree.directory))


async def test_nothing_else_in_the_folder_of_the_worktrees_is_listed(
    tmp_path: Path, worktrees: Worktrees, worktree: Worktree
) -> None:
    roots = roots_of(worktrees, tmp_path / "project")
    folder = Path(worktree.folder)
    for path in (folder / "src", folder.parent, folder.parent / "records", folder.parent / "no-such"):
        assert not roots.lists(path)


async def test_a_removed_worktree_is_not_listed_and_is_recognised(
    tmp_path: Path, worktrees: Worktrees, worktree: Worktree
) -> None:
    await worktrees.remove(worktree, keep_branch=False)
    assert not roots_of(worktrees, tmp_path / "project").lists(Path(worktree.directory))
    assert worktrees.contains(Path(worktree.directory))
