"""Work is brought back whatever flags an agent sets in its index, and outside of a sparse checkout, too."""

from pathlib import Path

import pytest

from opencode_mcp.isolation.integration import Integrator
from opencode_mcp.isolation.integration_result import IntegrationOptions
from opencode_mcp.isolation.isolated_work import checkout_and_work
from opencode_mcp.isolation.repository.index_flags import without_patterns
from opencode_mcp.isolation.repository.restoring import restore
from opencode_mcp.isolation.repository.trees import changes, snapshot
from opencode_mcp.isolation.worktrees import Worktrees
from tests.isolation.git_repository import contents, git, make_repository, put

pytestmark = pytest.mark.anyio
REQUEST = IntegrationOptions("Work of OpenCode")
FILES = {"a.txt": "a\n", "b.txt": "b\n", "d/c.txt": "c\n", "e/f.txt": "f\n"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "project", FILES)


def with_files(**files: str) -> dict[str, bytes]:
    """Return the first files with some others; a double underscore in a name is a slash."""
    named = {name.replace("__", "/") + ".txt": text for name, text in files.items()}
    return {name: text.encode() for name, text in {**FILES, **named}.items()}


async def test_files_that_the_index_marks_as_unchanged_are_brought_back(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository))
    folder = Path(made.folder)
    git(folder, "update-index", "--skip-worktree", "b.txt")
    git(folder, "update-index", "--assume-unchanged", "a.txt")
    put(folder, {"a.txt": "A\n", "b.txt": "B\n"})
    await integrator.integrate(made, "apply", REQUEST)
    assert contents(repository) == with_files(a="A\n", b="B\n")
    await integrator.integrate(made, "undo", REQUEST)
    assert contents(repository) == with_files()
    done = await integrator.integrate(made, "discard", REQUEST)
    git(repository, *done.undo.split()[1:])
    assert git(repository, "show", f"{made.branch}:a.txt", f"{made.branch}:b.txt") == "A\nB"


@pytest.mark.parametrize("cone", ["--cone", "--no-cone"])
async def test_work_outside_of_a_sparse_checkout_is_brought_back(
    cone: str, repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    before = with_files()
    git(repository, "sparse-checkout", "set", cone, "d")
    made = await worktrees.create(str(repository))
    folder = Path(made.folder)
    git(folder, "sparse-checkout", "set", cone, "d")
    assert "e/f.txt" not in contents(folder)
    put(folder, {"d/c.txt": "C\n", "e/f.txt": "F\n", "e/new.txt": "n\n"})
    done = await integrator.integrate(made, "apply", REQUEST)
    assert sorted(change.path for change in done.changed) == ["d/c.txt", "e/f.txt", "e/new.txt"]
    assert contents(repository).items() >= {"d/c.txt": b"C\n", "e/f.txt": b"F\n", "e/new.txt": b"n\n"}.items()
    await integrator.integrate(made, "undo", REQUEST)
    assert contents(repository).items() <= before.items()
    assert git(repository, "diff", "HEAD", "--name-only") == ""
    assert (await integrator.integrate(made, "commit", REQUEST)).commit
    assert git(repository, "status", "--porcelain") == ""
    assert git(repository, "show", "HEAD:e/f.txt", "HEAD:e/new.txt", "HEAD:b.txt") == "F\nn\nb"


async def test_what_git_could_not_finish_outside_of_a_sparse_checkout_is_removed_and_not_written_again(
    repository: Path, worktrees: Worktrees
) -> None:
    git(repository, "sparse-checkout", "set", "d")
    made = await worktrees.create(str(repository))
    put(Path(made.folder), {"d/c.txt": "C\n", "e/f.txt": "F\n"})
    checkout, work = await checkout_and_work(worktrees, made)
    before = contents(repository)
    async with snapshot(checkout) as seen:
        put(repository, {"d/c.txt": "C\n", "e/f.txt": "F"})
        assert await restore(without_patterns(checkout), await changes(checkout, seen.tree, work), seen.index) == []
    assert contents(repository) == before
