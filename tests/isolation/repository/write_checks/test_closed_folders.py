"""Folders and files of the checkout that cannot be written: nothing changes, and the error names them."""

import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from opencode_mcp.errors import GitFailed
from opencode_mcp.isolation.integration import Integrator
from opencode_mcp.isolation.integration_result import IntegrationOptions
from opencode_mcp.isolation.integration_ways import How
from opencode_mcp.isolation.repository.restoring import restored
from opencode_mcp.isolation.repository.trees import changes
from opencode_mcp.isolation.worktree_records import Worktree
from opencode_mcp.isolation.worktrees import Worktrees
from tests.isolation.git_repository import contents, git, make_repository, put
from tests.isolation.repository.write_checks.test_unreadable_files import bound_by_permissions

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
FILES = {"a.txt": "".join(f"{number}\n" for number in range(30)), "d/b.txt": "b\n", "z.txt": "z\n"}
WORK = {"a.txt": FILES["a.txt"].replace("2\n", "two\n", 1), "d/b.txt": "b\nx\n", "new.txt": "n\n", "z.txt": "z\nq\n"}
OPTIONS = IntegrationOptions("message")
SCRIPT = """
import asyncio, os, sys
from pathlib import Path
from opencode_mcp.errors import GitFailed
from opencode_mcp.isolation.integration import Integrator
from opencode_mcp.isolation.integration_result import IntegrationOptions
from opencode_mcp.isolation.worktrees import Worktrees

async def main(state, ways):
    worktrees = Worktrees(Path(state), os.environ)
    [made] = worktrees.left()
    for how in ways.split(","):
        try:
            await Integrator(worktrees).integrate(made, how, IntegrationOptions("message"))
            print(how, "done")
        except GitFailed as error:
            print(how, error.message)

asyncio.run(main(*sys.argv[1:]))
"""


def integrated(state: Path, *ways: str) -> list[str]:
    """Bring work back in several ways, in a process that permissions bind; return a line for each way."""
    command = [*bound_by_permissions(), sys.executable, "-c", SCRIPT, str(state), ",".join(ways)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - the test's own command
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


async def project_with_work(folder: Path, worktrees: Worktrees) -> tuple[Path, Worktree]:
    """Make a project, and a worktree of it with work to bring back."""
    repository = make_repository(folder / "project", FILES)
    made = await worktrees.create(str(repository))
    put(Path(made.folder), WORK)
    return repository, made


def seen(repository: Path) -> list[object]:
    """A checkout with its modes and what git says of it."""
    modes = {path: (repository / path).stat().st_mode for path in contents(repository)}
    return [contents(repository), modes, git(repository, "status", "--porcelain"), git(repository, "log", "--oneline")]


@pytest.mark.anyio
async def test_a_folder_that_cannot_be_written_is_named_and_no_file_changes(
    tmp_path: Path, worktrees: Worktrees
) -> None:
    repository, _ = await project_with_work(tmp_path, worktrees)
    (repository / "d").chmod(0o555)
    before = seen(repository)
    for line in integrated(tmp_path / "state", "commit", "merge"):
        assert "cannot be written: d/b.txt. Nothing was changed." in line
    assert seen(repository) == before
    put(repository, {"a.txt": FILES["a.txt"].replace("25\n", "mine\n")})
    before = seen(repository)
    [line] = integrated(tmp_path / "state", "apply")
    assert "cannot be written: d/b.txt. Nothing was changed." in line
    assert seen(repository) == before
    (repository / "d").chmod(0o755)
    assert integrated(tmp_path / "state", "apply") == ["apply done"]
    (repository / "d").chmod(0o555)
    [line] = integrated(tmp_path / "state", "undo")
    assert "cannot be written: d/b.txt. Nothing was changed." in line
    (repository / "d").chmod(0o755)
    assert integrated(tmp_path / "state", "undo") == ["undo done"]
    assert seen(repository) == before


@contextmanager
def unchangeable(file: Path) -> Generator[None]:
    """Let nobody change or remove a file until the block ends; skip the test where that is refused."""
    program = shutil.which("chattr")
    if program is None or subprocess.run([program, "+i", file], check=False, capture_output=True).returncode:  # noqa: S603 - our own
        pytest.skip("Files cannot be made unchangeable here.")
    try:
        yield
    finally:
        subprocess.run([program, "-i", file], check=True)  # noqa: S603 - our own


@pytest.mark.anyio
@pytest.mark.parametrize("how", ["apply", "commit"])
async def test_a_file_that_cannot_be_changed_is_named_and_the_others_are_restored(
    tmp_path: Path, worktrees: Worktrees, integrator: Integrator, how: How
) -> None:
    repository, made = await project_with_work(tmp_path, worktrees)
    before = seen(repository)
    with unchangeable(repository / "d/b.txt"):
        with pytest.raises(GitFailed, match=r"d/b\.txt") as refused:
            await integrator.integrate(made, how, OPTIONS)
        assert "restored" not in refused.value.message
        assert seen(repository) == before
    assert (await integrator.integrate(made, how, OPTIONS)).changed


@pytest.mark.anyio
async def test_a_file_that_cannot_be_restored_is_named_and_the_others_are_restored(
    tmp_path: Path, worktrees: Worktrees
) -> None:
    repository, made = await project_with_work(tmp_path, worktrees)
    git(Path(made.folder), "add", "--all")
    coming = await changes(await worktrees.git(made.checkout), made.base, git(Path(made.folder), "write-tree"))
    put(repository, WORK)
    with unchangeable(repository / "a.txt"):
        error = await restored(await worktrees.git(made.checkout), coming, GitFailed("git failed."))
    assert error.message.endswith("could not be restored: a.txt (Operation not permitted).")
    assert contents(repository) == {name: text.encode() for name, text in {**FILES, "a.txt": WORK["a.txt"]}.items()}


@pytest.mark.anyio
async def test_a_discard_removes_nothing_while_the_repository_cannot_be_written(
    tmp_path: Path, worktrees: Worktrees
) -> None:
    repository, made = await project_with_work(tmp_path, worktrees)
    folders = [repository / ".git", *(path for path in (repository / ".git").rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    [line] = integrated(tmp_path / "state", "discard")
    assert "Nothing was removed." in line
    for folder in folders:
        folder.chmod(0o755)
    assert contents(Path(made.folder)) == {name: text.encode() for name, text in WORK.items()}
    assert integrated(tmp_path / "state", "discard") == ["discard done"]
    assert git(repository, "show", f"refs/opencode-mcp/{made.name}/discarded:new.txt") == "n"
