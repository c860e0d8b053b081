"""An isolated worktree may be used exactly where its project may be used."""

from pathlib import Path

import pytest

from opencode_mcp.isolation.worktree_records import Worktree
from opencode_mcp.isolation.worktrees import Worktrees
from opencode_mcp.server.access.allowed_directories import Roots
from opencode_mcp.settings import Settings
from tests.isolation.git_repository import ENVIRONMENT, make_repository

pytestmark = pytest.mark.anyio


@pytest.fixture
def worktrees(tmp_path: Path) -> Worktrees:
    return Worktrees(tmp_path / "state", ENVIRONMENT)


@pytest.fixture
async def worktree(tmp_path: Path, worktrees: Worktrees) -> Worktree:
    return await worktrees.create(str(make_repository(tmp_path / "project")))


def roots_of(worktrees: Worktrees, project: Path) -> Roots:
    return Roots(Settings(directories=(str(project),)), worktrees.records)


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


async def test_only_the_sessions_of_a_removed_worktree_are_still_there(
    tmp_path: Path, worktrees: Worktrees, worktree: Worktree
) -> None:
    await worktrees.assign(worktree, "ses_1")
    await worktrees.remove(worktrees.of(worktree.directory))
    roots, directory = roots_of(worktrees, tmp_path / "project"), Path(worktree.directory)
    assert not roots.lists(directory)
    assert roots.lists_sessions_of(directory)
    assert not roots_of(worktrees, tmp_path / "other").lists_sessions_of(directory)


async def test_a_worktree_of_a_used_pattern_is_no_project_of_its_own(
    tmp_path: Path, worktrees: Worktrees, worktree: Worktree
) -> None:
    roots = Roots(Settings(directories=(str(tmp_path / "pro*"),)), worktrees.records)
    assert roots.lists(Path(worktree.directory))
    roots.use(worktree.directory)
    assert roots.in_use() == [str(tmp_path / "project")]


async def test_a_worktree_that_is_listed_by_name_does_not_list_its_project(
    worktrees: Worktrees, worktree: Worktree
) -> None:
    roots = Roots(Settings(directories=(worktree.directory,)), worktrees.records)
    roots.use(worktree.directory)
    assert roots.in_use() == [worktree.directory]
