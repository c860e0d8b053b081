"""A commit whose branch or index git cannot move: the checkout is as before, and the next call brings the work."""

import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from opencode_mcp.errors import GitFailed
from opencode_mcp.isolation.integration import Integrator
from opencode_mcp.isolation.integration_result import IntegrationOptions
from opencode_mcp.isolation.integration_ways import How
from opencode_mcp.isolation.repository.git import Git
from opencode_mcp.isolation.repository.scratch import copy_index
from opencode_mcp.isolation.unfinished.restored_index import restore_index
from opencode_mcp.isolation.worktrees import Worktrees
from tests.isolation.git_repository import contents, git, make_repository, put
from tests.isolation.repository.write_checks.test_closed_folders import unchangeable

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no files that cannot be changed"),
]
FILES = {"a.txt": "a\n", "c.txt": "c\n", "d/b.txt": "b\n", "mine.txt": "m\n", "staged.txt": "s\n"}
WORK = {"a.txt": "a\n1\n", "c.txt": "c\n1\n", "d/b.txt": "b\n1\n", "nd/1": "1\n", "new.txt": "n\n"}
PERSON = {"staged.txt": "s\nx\n", "added.txt": "x\n", "mine.txt": "m\nx\n", "untracked.txt": "x\n"}
LEFT = ["A  added.txt", " M mine.txt", "M  staged.txt", "?? untracked.txt"]
OPTIONS = IntegrationOptions("message")
Fault = Callable[[Path], AbstractContextManager[None]]


@contextmanager
def locked(ref: Path) -> Generator[None]:
    """Hold git's lock of a ref until the block ends."""
    lock = ref.with_name(f"{ref.name}.lock")
    lock.touch()
    try:
        yield
    finally:
        lock.unlink()


def checkout(folder: Path) -> Path:
    """Make a repository whose person has changes that are staged, also one that the work has, and that are not."""
    repository = make_repository(folder, FILES)
    put(repository, {"staged.txt": "s\nx\n", "added.txt": "x\n", "c.txt": WORK["c.txt"]})
    git(repository, "add", "--all")
    put(repository, {"mine.txt": "m\nx\n", "untracked.txt": "x\n"})
    return repository


def seen(repository: Path) -> list[object]:
    """A checkout as a person sees it, with what is staged."""
    staged = git(repository, "ls-files", "--stage")
    return [
        contents(repository),
        staged,
        git(repository, "status", "--porcelain"),
        git(repository, "rev-parse", "HEAD"),
    ]


@pytest.mark.parametrize("how", ["commit", "merge"])
@pytest.mark.parametrize(
    ("fault", "file"),
    [
        (locked, "refs/heads/main"),
        (locked, "HEAD"),
        (unchangeable, "refs/heads"),
        (unchangeable, "logs/HEAD"),
        (unchangeable, "index"),
    ],
)
async def test_the_checkout_is_as_before_if_git_cannot_move_it(
    tmp_path: Path, worktrees: Worktrees, integrator: Integrator, fault: Fault, file: str, how: How
) -> None:
    repository = checkout(tmp_path / "project")
    made = await worktrees.create(str(repository))
    put(Path(made.folder), WORK)
    before = seen(repository)
    with fault(repository / ".git" / file):
        for _ in range(2):
            with pytest.raises(GitFailed) as refused:
                await integrator.integrate(made, how, OPTIONS)
            assert "restored" not in refused.value.message
            assert seen(repository) == before
    assert (await integrator.integrate(made, how, OPTIONS)).commit
    assert contents(repository) == {name: text.encode() for name, text in {**FILES, **WORK, **PERSON}.items()}
    assert git(repository, "status", "--porcelain").splitlines() == LEFT


async def worked(worktrees: Worktrees, repository: Path, copy: Path) -> tuple[Git, str, str]:
    """Make a commit of work and copy the index; return git for the checkout, its commit and the new one."""
    made = await worktrees.create(str(repository))
    put(Path(made.folder), WORK)
    git(Path(made.folder), "add", "--all")
    git(Path(made.folder), "commit", "--quiet", "--message=work")
    copy_index(repository / ".git/index", copy)
    return await worktrees.git(made.checkout), made.base, git(Path(made.folder), "rev-parse", "HEAD")


@pytest.mark.parametrize("is_moved", [True, False])
async def test_what_is_staged_meanwhile_stays(tmp_path: Path, worktrees: Worktrees, *, is_moved: bool) -> None:
    repository, before = make_repository(tmp_path / "project", FILES), tmp_path / "before"
    checkout_git, head, commit = await worked(worktrees, repository, before)
    if is_moved:
        git(repository, "read-tree", "-m", "HEAD", commit)
    put(repository, {"mine.txt": "meanwhile\n"})
    git(repository, "add", "mine.txt")
    assert await restore_index(checkout_git, before, head, commit) == ""
    assert git(repository, "status", "--porcelain") == "M  mine.txt"


async def test_an_index_that_cannot_be_restored_is_reported(tmp_path: Path, worktrees: Worktrees) -> None:
    repository, before = make_repository(tmp_path / "project", FILES), tmp_path / "before"
    checkout_git, head, commit = await worked(worktrees, repository, before)
    git(repository, "read-tree", "-m", "HEAD", commit)
    with locked(repository / ".git/index"):
        assert await restore_index(checkout_git, before, head, commit) == "File exists"
    assert await restore_index(checkout_git, before, head, commit) == ""
    assert git(repository, "status", "--porcelain") == ""


async def test_the_lock_of_somebody_else_does_not_matter_if_git_has_not_moved_the_index(
    tmp_path: Path, worktrees: Worktrees
) -> None:
    repository, before = make_repository(tmp_path / "project", FILES), tmp_path / "before"
    checkout_git, head, commit = await worked(worktrees, repository, before)
    put(repository, {"mine.txt": "meanwhile\n"})
    git(repository, "add", "mine.txt")
    with locked(repository / ".git/index"):
        assert await restore_index(checkout_git, before, head, commit) == ""
