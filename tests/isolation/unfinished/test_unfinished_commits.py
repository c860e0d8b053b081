"""A commit that was interrupted, for example because git was killed, leaves no part of the work in the checkout."""

import os
import sys
from pathlib import Path

import pytest

from opencode_mcp.errors import GitFailed, InvalidArgument
from opencode_mcp.isolation.integration import Integrator
from opencode_mcp.isolation.integration_result import IntegrationOptions
from opencode_mcp.isolation.repository.git import Git
from opencode_mcp.isolation.unfinished import unfinished_commits
from opencode_mcp.isolation.worktree_records import Worktree
from opencode_mcp.isolation.worktrees import Worktrees
from tests.isolation.git_repository import contents, git, make_repository, put

pytestmark = pytest.mark.anyio
REQUEST = IntegrationOptions("Work of OpenCode")
FILES = {"a.txt": "a\n", "b.txt": "b\n", "c.txt": "c\n", "d": "d\n", "mode.sh": "x\n"}
WORK = {"a.txt": "A\n" * 1000, "b.txt": "B\n", "new/n.txt": "n\n"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "project", FILES)


def work_in(folder: Path) -> None:
    """Change, add and remove files, and put a folder in place of one."""
    put(folder, WORK)
    (folder / "d").unlink()
    put(folder, {"d/inside.txt": "i\n"})
    (folder / "mode.sh").chmod(0o755)


async def begun(worktrees: Worktrees, repository: Path) -> tuple[Worktree, str]:
    """Return a worktree with work, and a commit of it whose bringing is recorded as begun."""
    made = await worktrees.create(str(repository))
    work_in(Path(made.folder))
    git(Path(made.folder), "add", "--all")
    git(Path(made.folder), "commit", "--quiet", "--message=work")
    commit = git(Path(made.folder), "rev-parse", "HEAD")
    await unfinished_commits.record_commit(await worktrees.git(made.checkout), made.name, commit, commit)
    return made, commit


def write_a_part(repository: Path) -> None:
    """Write some of the files whole, one in part, remove one, and leave one as it was."""
    put(repository, {"a.txt": "A\nA\n", "new/n.txt": "n\n"})
    (repository / "d").unlink()
    put(repository, {"d/inside.txt": "i\n"})
    (repository / "b.txt").unlink()


def commands_of_git(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list to which the name of each command of git is added when it is run."""
    commands: list[str] = []
    attempt = Git.attempt

    async def noted(self: Git, *arguments: str, index: Path | None = None, text: bytes = b"") -> tuple[int, bytes, str]:
        commands.append(arguments[0])
        return await attempt(self, *arguments, index=index, text=text)

    monkeypatch.setattr(Git, "attempt", noted)
    return commands


async def test_the_next_call_takes_a_part_of_the_files_back(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made, _ = await begun(worktrees, repository)
    before = contents(repository)
    write_a_part(repository)
    with pytest.raises(InvalidArgument, match="No changes"):
        await integrator.integrate(made, "undo", REQUEST)
    assert contents(repository) == before
    assert git(repository, "status", "--porcelain") == ""
    assert git(repository, "for-each-ref", f"refs/opencode-mcp/{made.name}") == ""


async def test_a_commit_can_be_made_after_one_that_was_interrupted_before_the_branch_was_moved(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made, commit = await begun(worktrees, repository)
    put(repository, {"c.txt": "staged\n"})
    git(repository, "add", "c.txt")
    git(repository, "read-tree", "-m", "-u", "HEAD", commit)
    await integrator.integrate(made, "commit", REQUEST)
    assert git(repository, "log", "--format=%s").splitlines() == ["Work of OpenCode", "first"]
    assert git(repository, "status", "--porcelain") == "M  c.txt"
    if sys.platform != "win32":
        assert os.access(repository / "mode.sh", os.X_OK)


async def test_a_finished_commit_stays(repository: Path, worktrees: Worktrees, integrator: Integrator) -> None:
    made, commit = await begun(worktrees, repository)
    git(repository, "merge", "--quiet", "--ff-only", commit)
    after = contents(repository)
    assert not (await integrator.integrate(made, "commit", REQUEST)).changed
    assert contents(repository) == after
    assert await integrator.pending(made) == []


async def test_what_the_person_has_changed_since_then_stays(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made, _ = await begun(worktrees, repository)
    write_a_part(repository)
    put(repository, {"a.txt": "mine\n"})
    with pytest.raises(GitFailed, match=r"overwritten by merge: a\.txt"):
        await integrator.integrate(made, "commit", REQUEST)
    assert contents(repository) == {name: text.encode() for name, text in {**FILES, "a.txt": "mine\n"}.items()}


async def test_a_lock_that_a_killed_git_has_left_is_named(
    repository: Path, worktrees: Worktrees, integrator: Integrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished_commits, "LOCK_SECONDS", 0.01)
    made, _ = await begun(worktrees, repository)
    write_a_part(repository)
    put(repository, {".git/index.lock": ""})
    with pytest.raises(GitFailed, match=r"index\.lock exists") as refused:
        await integrator.integrate(made, "commit", REQUEST)
    assert "remove only this file, and call again" in refused.value.hint
    (repository / ".git/index.lock").unlink()
    assert (await integrator.integrate(made, "commit", REQUEST)).commit
    assert git(repository, "status", "--porcelain") == ""


async def test_a_lock_is_explained_where_nothing_was_begun(
    repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository))
    work_in(Path(made.folder))
    put(repository, {".git/index.lock": ""})
    before = contents(repository)
    with pytest.raises(GitFailed, match=r"index\.lock") as refused:
        await integrator.integrate(made, "commit", REQUEST)
    assert "remove only this file, and call again" in refused.value.hint
    assert contents(repository) == before


async def test_one_process_reads_what_many_files_would_have_got(
    repository: Path, worktrees: Worktrees, integrator: Integrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await worktrees.create(str(repository))
    work = {f"new {number}.txt": f"{number}\n" * number for number in range(20)} | {"é\n.txt": "1\n2\n", "last.txt": ""}
    put(Path(made.folder), {".gitattributes": "é* text eol=crlf\n", **work})
    git(Path(made.folder), "add", "--all")
    git(Path(made.folder), "commit", "--quiet", "--message=work")
    commit = git(Path(made.folder), "rev-parse", "HEAD")
    await unfinished_commits.record_commit(await worktrees.git(made.checkout), made.name, commit, commit)
    before = contents(repository)
    git(repository, "read-tree", "-m", "-u", "HEAD", commit)
    put(repository, {"new 3.txt": "mine\n"})
    commands = commands_of_git(monkeypatch)
    with pytest.raises(InvalidArgument, match="No changes"):
        await integrator.integrate(made, "undo", REQUEST)
    assert contents(repository) == {**before, "new 3.txt": b"mine\n"}
    assert commands.count("cat-file") == 1


@pytest.mark.parametrize("how", ["commit", "merge"])
async def test_a_file_that_the_person_has_deleted_is_not_brought_back_by_a_commit(
    how: str, repository: Path, worktrees: Worktrees, integrator: Integrator
) -> None:
    made = await worktrees.create(str(repository))
    work_in(Path(made.folder))
    (repository / "b.txt").unlink()
    before = contents(repository)
    with pytest.raises(GitFailed, match=r"deleted in the checkout.*: b\.txt"):
        await integrator.integrate(made, how, REQUEST)  # pyright: ignore[reportArgumentType] - names of ways
    assert contents(repository) == before
