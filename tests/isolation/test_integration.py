"""Changes of an isolated worktree come back whole or not at all, and what the person has done meanwhile stays."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from opencode_mcp.errors import GitFailed, InvalidArgument
from opencode_mcp.isolation.integration import Integrator
from opencode_mcp.isolation.integration_result import Integration, IntegrationOptions
from opencode_mcp.isolation.integration_ways import How
from opencode_mcp.isolation.recorded_worktrees import WORKING_TREE
from opencode_mcp.isolation.worktree_records import Worktree
from opencode_mcp.isolation.worktrees import Worktrees
from opencode_mcp.server.results.integration_text import data_of, text_of
from tests.isolation.git_repository import contents, git, make_repository, put

pytestmark = pytest.mark.anyio
REQUEST = IntegrationOptions("Work of OpenCode")
LINES = "".join(f"line {number}\n" for number in range(20))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "project", {"a.txt": LINES, "b.txt": "b\n", "src/c.txt": LINES + "c\n"})


async def worked(worktrees: Worktrees, repository: Path, work: Callable[[Path], None], base: str = "HEAD") -> Worktree:
    """Make a worktree and do some work in it."""
    made = await worktrees.create(str(repository), base=base)
    work(Path(made.folder))
    return made


def every_kind_of_change(folder: Path) -> None:
    """Change, add, remove and rename files, one of them binary, one a link, one with Windows line ends."""
    put(folder, {"a.txt": LINES.replace("line 3\n", "line three\n"), "new/d.txt": "d\r\nd\r\n"})
    (folder / "binary").write_bytes(bytes(range(256)))
    (folder / "b.txt").unlink()
    (folder / "src/c.txt").rename(folder / "src/renamed.txt")
    if sys.platform != "win32":
        (folder / "run.sh").write_text("#!/bin/sh\n")
        (folder / "run.sh").chmod(0o755)
        (folder / "link").symlink_to("a.txt")


def paths_of(done: Integration) -> list[str]:
    """Return the files with conflicts."""
    return [conflict.path for conflict in done.conflicts]


def change_line(number: int, text: str) -> Callable[[Path], None]:
    """Return work that changes one line of a.txt."""
    return lambda folder: put(folder, {"a.txt": LINES.replace(f"line {number}\n", f"{text}\n")})


async def test_every_kind_of_change_is_applied_and_undone(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    before = contents(repository)
    made = await worked(worktrees, repository, every_kind_of_change)
    done = await integrator.integrate(made, "apply", REQUEST)
    assert contents(repository) == contents(Path(made.folder))
    assert {(change.status, change.path) for change in done.changed} >= {("M", "a.txt"), ("R", "src/renamed.txt")}
    assert git(repository, "diff", "--cached", "--name-only") == ""
    if sys.platform != "win32":
        assert os.access(repository / "run.sh", os.X_OK)
        assert (repository / "link").is_symlink()
    await integrator.integrate(made, "undo", REQUEST)
    assert contents(repository) == before


@pytest.mark.parametrize("how", ["apply", "commit", "merge"])
async def test_a_project_inside_a_repository_gets_no_change_outside_of_it(
    repository: Path, worktrees: Worktrees, integrator: Integrator, how: How
) -> None:
    before = contents(repository)
    made = await worktrees.create(str(repository / "src"))
    put(Path(made.directory), {"inside.txt": "x\n", "../top.txt": "y\n"})
    with pytest.raises(InvalidArgument, match=r"outside of .*src: top\.txt\. Nothing was brought back"):
        await integrator.integrate(made, how, REQUEST)
    assert contents(repository) == before
    (Path(made.folder) / "top.txt").unlink()
    await integrator.integrate(made, how, REQUEST)
    assert contents(repository) == {**before, "src/inside.txt": b"x\n"}


async def test_changes_of_both_sides_are_merged(repository: Path, worktrees: Worktrees, integrator: Integrator) -> None:
    made = await worked(worktrees, repository, change_line(3, "theirs"))
    put(repository, {"a.txt": LINES.replace("line 15\n", "ours\n"), "mine.txt": "mine\n"})
    git(repository, "add", "mine.txt")
    await integrator.integrate(made, "apply", REQUEST)
    text = (repository / "a.txt").read_text()
    assert "theirs\n" in text
    assert "ours\n" in text
    assert git(repository, "diff", "--cached", "--name-only") == "mine.txt"
    await integrator.integrate(made, "undo", REQUEST)
    assert (repository / "a.txt").read_text() == LINES.replace("line 15\n", "ours\n")


async def test_a_conflict_changes_nothing_unless_markers_are_wanted(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worked(worktrees, repository, change_line(3, "theirs"))
    change_line(3, "ours")(repository)
    put(Path(made.folder), {"other.txt": "other\n"})
    before = contents(repository)
    done = await integrator.integrate(made, "apply", REQUEST)
    assert (paths_of(done), done.changed, contents(repository)) == (["a.txt"], [], before)
    done = await integrator.integrate(made, "apply", IntegrationOptions("", markers=True))
    assert paths_of(done) == ["a.txt"]
    assert "<<<<<<<" in (repository / "a.txt").read_text()
    assert (repository / "other.txt").exists()
    await integrator.integrate(made, "undo", REQUEST)
    assert contents(repository) == before


async def test_a_conflict_of_a_file_with_a_folder_names_the_path_that_both_need(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worked(worktrees, repository, lambda folder: put(folder, {"new/inside.txt": "i\n"}))
    put(repository, {"new": "a file\n"})
    done = await integrator.integrate(made, "apply", REQUEST)
    assert "- conflict: new (a file on one side, a folder on the other)" in text_of("apply", made, done)
    assert data_of("apply", made, done)["conflicts"] == ["new"]
    done = await integrator.integrate(made, "apply", IntegrationOptions("", markers=True))
    (path,) = data_of("apply", made, done)["conflicts"]
    assert (repository / path).read_text() == "a file\n"


async def test_a_change_that_conflicts_is_not_committed_or_merged(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worked(worktrees, repository, change_line(3, "theirs"))
    change_line(3, "ours")(repository)
    git(repository, "commit", "--quiet", "--all", "--message=ours")
    before = contents(repository), git(repository, "rev-parse", "HEAD")
    assert paths_of(await integrator.integrate(made, "commit", REQUEST)) == ["a.txt"]
    assert paths_of(await integrator.integrate(made, "merge", REQUEST)) == ["a.txt"]
    assert (contents(repository), git(repository, "rev-parse", "HEAD")) == before


async def test_a_commit_holds_the_work_and_nothing_else(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worked(worktrees, repository, every_kind_of_change)
    put(repository, {"mine.txt": "mine\n"})
    done = await integrator.integrate(made, "commit", REQUEST)
    assert git(repository, "log", "--format=%s", "-1") == "Work of OpenCode"
    assert git(repository, "rev-parse", "HEAD") == done.commit
    assert git(repository, "status", "--porcelain") == "?? mine.txt"
    git(repository, *done.undo.split()[1:])
    assert git(repository, "log", "--format=%s", "-1") == "first"
    assert (repository / "mine.txt").exists()


async def test_a_commit_is_refused_while_a_file_that_it_changes_has_other_changes(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worked(worktrees, repository, change_line(3, "theirs"))
    change_line(15, "ours")(repository)
    before = contents(repository), git(repository, "rev-parse", "HEAD")
    with pytest.raises(GitFailed, match="overwritten"):
        await integrator.integrate(made, "commit", REQUEST)
    assert (contents(repository), git(repository, "rev-parse", "HEAD")) == before


async def test_a_merge_keeps_the_commits_of_the_branch(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worked(worktrees, repository, change_line(3, "theirs"))
    git(Path(made.folder), "commit", "--quiet", "--all", "--message=committed by the agent")
    put(Path(made.folder), {"later.txt": "later\n"})
    put(repository, {"mine.txt": "mine\n"})
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message=mine")
    await integrator.integrate(made, "merge", REQUEST)
    assert "committed by the agent" in git(repository, "log", "--format=%s")
    assert {"later.txt", "mine.txt"} <= contents(repository).keys()
    assert git(repository, "log", "-1", "--format=%P").count(" ") == 1
    assert git(repository, "status", "--porcelain") == ""


async def test_work_on_uncommitted_changes_is_applied_and_committed_but_not_merged(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    change_line(15, "ours")(repository)

    def work(folder: Path) -> None:
        text = (folder / "a.txt").read_text()
        (folder / "a.txt").write_text(text.replace("line 3\n", "theirs\n"))

    made = await worked(worktrees, repository, work, WORKING_TREE)
    with pytest.raises(InvalidArgument, match="cannot be merged"):
        await integrator.integrate(made, "merge", REQUEST)
    await integrator.integrate(made, "apply", REQUEST)
    assert (repository / "a.txt").read_text() == (Path(made.folder) / "a.txt").read_text()


async def test_only_the_branch_is_kept(repository: Path, worktrees: Worktrees, integrator: Integrator) -> None:
    before = contents(repository)
    made = await worked(worktrees, repository, every_kind_of_change)
    work = contents(Path(made.folder))
    done = await integrator.integrate(made, "branch", REQUEST)
    assert contents(Path(made.folder)) == {}
    assert contents(repository) == before
    assert git(repository, "log", "-1", "--format=%s", made.branch) == "Work of OpenCode"
    git(repository, "checkout", "--quiet", made.branch)
    assert contents(repository) == work
    assert done.commit == git(repository, "rev-parse", "HEAD")


async def test_discarded_work_can_be_restored(repository: Path, worktrees: Worktrees, integrator: Integrator) -> None:
    before = contents(repository)
    made = await worked(worktrees, repository, every_kind_of_change)
    work = contents(Path(made.folder))
    done = await integrator.integrate(made, "discard", REQUEST)
    assert contents(repository) == before
    assert git(repository, "branch", "--list", made.branch) == ""
    assert worktrees.left() == []
    git(repository, *done.undo.split()[1:])
    git(repository, "checkout", "--quiet", made.branch)
    assert contents(repository) == work


@pytest.mark.parametrize("work", ["secret", "secret/inside"])
@pytest.mark.parametrize("mine", ["secret", "secret/mine", "secret/inside"])
async def test_a_file_that_git_ignores_is_never_overwritten(
    work: str, mine: str, repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    put(repository, {".git/info/exclude": "secret\n", mine: "mine\n"})
    made = await worktrees.create(str(repository))
    put(Path(made.folder), {work: "theirs\n"})
    git(Path(made.folder), "add", "--force", work)
    if (work, mine) == ("secret/inside", "secret/mine"):
        await integrator.integrate(made, "apply", REQUEST)
        assert (repository / mine).read_text() == "mine\n"
        return
    before = contents(repository)
    with pytest.raises(GitFailed, match="ignored by git"):
        await integrator.integrate(made, "apply", REQUEST)
    assert contents(repository) == before


async def test_work_without_changes_changes_nothing(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository))
    before = contents(repository), git(repository, "rev-parse", "HEAD")
    for how in ("apply", "commit", "merge"):
        done = await integrator.integrate(made, how, REQUEST)
        assert (done.changed, done.undo) == ([], "")
    with pytest.raises(InvalidArgument, match="No changes"):
        await integrator.integrate(made, "undo", REQUEST)
    assert (contents(repository), git(repository, "rev-parse", "HEAD")) == before
