"""Isolated worktrees: what they begin with, and that nothing is left of one that could not be made."""

from pathlib import Path

import pytest

from opencode_mcp.errors import GitFailed, InvalidArgument, InvalidSetting, NotFound
from opencode_mcp.isolation.worktrees import WORKING_TREE, Worktrees
from tests.isolation.repository import ENVIRONMENT, contents, git, make_repository, put

pytestmark = pytest.mark.anyio


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "project")


@pytest.fixture
def worktrees(tmp_path: Path) -> Worktrees:
    return Worktrees(tmp_path / "state", ENVIRONMENT)


def left_over(tmp_path: Path, repository: Path) -> tuple[list[Path], str, str]:
    """Return the files in the state folder, the branches, and the worktrees that git knows."""
    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    return files, git(repository, "branch", "--list", "opencode/*"), git(repository, "worktree", "list")


async def test_a_worktree_begins_with_the_last_commit(repository: Path, worktrees: Worktrees) -> None:
    put(repository, {"a.txt": "changed\n", "new.txt": "new\n"})
    made = await worktrees.create(str(repository), title="Fix the log-in, please!")
    assert contents(Path(made.folder)) == {"a.txt": b"one\ntwo\nthree\n", "src/b.txt": b"b\n"}
    assert made.branch.startswith("opencode/fix-the-log-in-please-")
    assert git(Path(made.folder), "branch", "--show-current") == made.branch
    assert contents(repository)["a.txt"] == b"changed\n"


async def test_a_worktree_begins_with_the_working_tree_and_leaves_the_index_alone(
    repository: Path, worktrees: Worktrees
) -> None:
    put(repository, {".gitignore": "*.log\n", "a.txt": "changed\n", "new.txt": "new\n", "x.log": "ignored\n"})
    (repository / "src/b.txt").unlink()
    git(repository, "add", "new.txt")
    before = git(repository, "status", "--porcelain")
    made = await worktrees.create(str(repository), base=WORKING_TREE)
    assert contents(Path(made.folder)) == {".gitignore": b"*.log\n", "a.txt": b"changed\n", "new.txt": b"new\n"}
    assert git(repository, "status", "--porcelain") == before
    assert git(Path(made.folder), "status", "--porcelain") == ""


async def test_a_worktree_begins_with_a_named_branch(repository: Path, worktrees: Worktrees) -> None:
    git(repository, "checkout", "--quiet", "-b", "other")
    put(repository, {"other.txt": "other\n"})
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message=other")
    git(repository, "checkout", "--quiet", "main")
    made = await worktrees.create(str(repository), base="other")
    assert "other.txt" in contents(Path(made.folder))


async def test_a_folder_of_a_repository_is_the_same_folder_of_the_worktree(
    repository: Path, worktrees: Worktrees
) -> None:
    made = await worktrees.create(str(repository / "src"))
    assert Path(made.directory) == Path(made.folder) / "src"
    assert Path(made.project) == repository / "src"
    assert (await worktrees.find(made.directory)).name == made.name


async def test_a_detached_head_is_a_base(repository: Path, worktrees: Worktrees) -> None:
    git(repository, "checkout", "--quiet", "--detach")
    assert contents(Path((await worktrees.create(str(repository))).folder)) == contents(repository)


async def test_a_repository_without_a_commit_can_only_begin_with_the_working_tree(
    tmp_path: Path, worktrees: Worktrees
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    git(folder, "init", "--quiet")
    put(folder, {"a.txt": "a\n"})
    with pytest.raises(InvalidArgument, match="no commit yet"):
        await worktrees.create(str(folder))
    made = await worktrees.create(str(folder), base=WORKING_TREE)
    assert contents(Path(made.folder)) == {"a.txt": b"a\n"}


@pytest.mark.parametrize("base", ["nothing", "--output=/tmp/x", "", "a b", "main:a.txt"])
async def test_an_unknown_base_is_refused_and_leaves_nothing(
    base: str, tmp_path: Path, repository: Path, worktrees: Worktrees
) -> None:
    before = left_over(tmp_path, repository)
    with pytest.raises(InvalidArgument, match="no branch or commit"):
        await worktrees.create(str(repository), base=base)
    assert left_over(tmp_path, repository) == before


async def test_a_folder_without_git_is_refused(tmp_path: Path, worktrees: Worktrees) -> None:
    (tmp_path / "plain").mkdir()
    with pytest.raises(InvalidArgument, match="in no git repository"):
        await worktrees.create(str(tmp_path / "plain"))


async def test_a_missing_git_is_named(tmp_path: Path, repository: Path) -> None:
    with pytest.raises(InvalidSetting, match="no git on the PATH"):
        await Worktrees(tmp_path / "state", {"PATH": "."}).create(str(repository))


async def test_a_worktree_that_git_cannot_make_leaves_nothing(
    tmp_path: Path, repository: Path, worktrees: Worktrees
) -> None:
    # A branch of this name keeps git from making any that begins with it.
    git(repository, "branch", "opencode")
    before = left_over(tmp_path, repository)
    with pytest.raises(GitFailed):
        await worktrees.create(str(repository))
    assert left_over(tmp_path, repository) == before


async def test_hooks_of_the_repository_do_not_run(tmp_path: Path, repository: Path, worktrees: Worktrees) -> None:
    hook = repository / ".git/hooks/post-checkout"
    put(repository, {".git/hooks/post-checkout": f"#!/bin/sh\ntouch '{tmp_path}/ran'\n"})
    hook.chmod(0o755)
    await worktrees.create(str(repository))
    assert not (tmp_path / "ran").exists()


async def test_a_removed_worktree_leaves_nothing(tmp_path: Path, repository: Path, worktrees: Worktrees) -> None:
    before = left_over(tmp_path, repository)
    made = await worktrees.assign(await worktrees.create(str(repository)), "ses_1")
    assert [one.session_id for one in await worktrees.all()] == ["ses_1"]
    put(Path(made.folder), {"a.txt": "changed\n", "untracked.txt": "x\n"})
    await worktrees.remove(made, keep_branch=False)
    assert left_over(tmp_path, repository) == before
    with pytest.raises(NotFound):
        await worktrees.find(made.directory)
