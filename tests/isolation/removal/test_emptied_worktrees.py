"""Work is not brought back from a worktree whose files somebody has removed: it would delete all files."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.isolation.integration import Integrator
from opencode_mcp.isolation.integration_result import IntegrationOptions
from opencode_mcp.isolation.worktrees import Worktrees
from opencode_mcp.server.results.integration_text import text_of
from tests.isolation.git_repository import contents, git, make_repository, put

if TYPE_CHECKING:
    from opencode_mcp.isolation.integration_ways import How

pytestmark = pytest.mark.anyio
REFUSED = "somebody has removed them"
REQUEST = IntegrationOptions("Work of OpenCode")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "project", {"a.txt": "a\n", "src/b.txt": "b\n", ".gitignore": "*.o\n"})


def empty(folder: Path, pattern: str = "*") -> None:
    """Remove what a shell's pattern names."""
    for path in folder.glob(pattern):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


async def test_a_worktree_without_files_is_refused_and_can_be_discarded(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository))
    before = contents(repository)
    empty(Path(made.folder))
    hows: tuple[How, ...] = ("apply", "commit", "merge", "branch")
    for how in hows:
        with pytest.raises(InvalidArgument, match=REFUSED):
            await integrator.integrate(made, how, REQUEST)
    with pytest.raises(InvalidArgument, match=REFUSED):
        await integrator.changed(made)
    assert contents(repository) == before
    done = await integrator.integrate(made, "discard", REQUEST)
    assert (done.changed, done.pending, done.undo) == ([], 0, "")
    assert "there was nothing to keep" in done.lost
    assert not Path(made.folder).exists()  # noqa: ASYNC240 - of a test


@pytest.mark.parametrize("hidden", ["", ".env"])
async def test_a_discard_of_a_worktree_without_files_keeps_its_commits_and_hidden_files(
    hidden: str, repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository))
    put(Path(made.folder), {"c.txt": "c\n"})
    git(Path(made.folder), "add", "--all")
    git(Path(made.folder), "commit", "--quiet", "--message=work")
    empty(Path(made.folder))
    put(Path(made.folder), {hidden: "hidden\n"} if hidden else {})
    done = await integrator.integrate(made, "discard", REQUEST)
    assert [change.path for change in done.changed] == [hidden or "c.txt"]
    assert "only its commits and the hidden files are kept" in done.lost
    git(repository, *done.undo.split()[1:])
    assert git(repository, "show", f"{made.branch}{'^' if hidden else ''}:c.txt") == "c"


async def test_a_project_inside_a_repository_without_files_is_refused(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository / "src"))
    empty(Path(made.directory))
    with pytest.raises(InvalidArgument, match=REFUSED):
        await integrator.integrate(made, "apply", REQUEST)


async def test_the_deletion_of_all_files_is_brought_back_if_it_is_committed_or_there_are_others(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository))
    empty(Path(made.folder))
    put(Path(made.folder), {"new/a.txt": "a\n"})
    await integrator.integrate(made, "apply", REQUEST)
    assert contents(repository).keys() == {"new/a.txt", ".gitignore"}
    await integrator.integrate(made, "undo", REQUEST)
    empty(Path(made.folder))
    git(Path(made.folder), "commit", "--quiet", "--all", "--message=delete all")
    await integrator.integrate(made, "apply", REQUEST)
    assert contents(repository).keys() == {".gitignore"}


async def test_the_result_says_that_the_files_of_a_discarded_worktree_were_lost(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    lost, committed = [await worktrees.create(str(repository)) for _ in range(2)]
    put(Path(committed.folder), {"new.txt": "n\n"})
    git(Path(committed.folder), "add", "--all")
    git(Path(committed.folder), "commit", "--quiet", "--message=work")
    for one in (lost, committed):
        shutil.rmtree(one.folder)
    done = await integrator.integrate(lost, "discard", REQUEST)
    assert "its branch had no commits: there was nothing to keep." in text_of("discard", lost, done)
    done = await integrator.integrate(committed, "discard", REQUEST)
    assert "only the commits on its branch are kept." in text_of("discard", committed, done)
