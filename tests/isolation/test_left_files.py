"""Files that a command adds in a worktree are no part of the work, until the work changes them."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.isolation.integration import Integrator
from opencode_mcp.isolation.integration_result import IntegrationOptions
from opencode_mcp.isolation.left_files import LeftFiles
from opencode_mcp.isolation.worktrees import Worktrees
from tests.isolation.git_repository import ENVIRONMENT, git, make_repository, put

pytestmark = pytest.mark.anyio
REQUEST = IntegrationOptions("Work")


async def left_by(worktrees: Worktrees, directory: str, files: dict[str, str], *removed: str) -> tuple[str, ...]:
    """Let a command write and remove files, and return what it left."""
    compared = LeftFiles(worktrees, "msg_1")
    await compared.begin(directory)
    put(Path(directory), files)
    for name in removed:
        (Path(directory) / name).unlink()
    return await compared.end(directory)


async def test_what_a_command_adds_is_left_out_until_the_work_changes_it(tmp_path: Path) -> None:
    worktrees = Worktrees(tmp_path / "state", ENVIRONMENT)
    repository = make_repository(tmp_path / "project", {"a.txt": "a\n", "b.txt": "b\n", ".gitignore": "ignored/\n"})
    made = await worktrees.create(str(repository))
    put(Path(made.directory), {"work.txt": "work\n"})
    left = await left_by(
        worktrees,
        made.directory,
        {"out/x.bin": "1", "out/y.bin": "1", "ignored/z": "1", "a.txt": "formatted\n"},
        "b.txt",
    )
    assert left == ("changed a.txt", "deleted b.txt", "added out/x.bin", "added out/y.bin")
    assert await left_by(worktrees, made.directory, {"out/x.bin": "longer"}) == ("added out/x.bin", "added out/y.bin")

    put(Path(made.directory), {"out/y.bin": "by the work\n"})
    done = await Integrator(worktrees).integrate(made, "apply", REQUEST)
    assert {change.path for change in done.changed} == {"a.txt", "b.txt", "work.txt", "out/y.bin"}
    assert done.left_out == ["out/x.bin"]
    assert not (repository / "out" / "x.bin").exists()
    dropped = await Integrator(worktrees).integrate(made, "discard", REQUEST)
    assert "out/x.bin" not in {change.path for change in dropped.changed}


async def test_what_a_command_has_added_until_its_bridge_died_is_left_out_too(tmp_path: Path) -> None:
    worktrees = Worktrees(tmp_path / "state", ENVIRONMENT)
    made = await worktrees.create(str(make_repository(tmp_path / "project", {"a.txt": "a\n"})))
    folder = Path(made.directory)
    put(folder, {"work.txt": "work\n"})
    await LeftFiles(worktrees, "msg_1").begin(made.directory)
    put(folder, {"first.txt": "1\n"})
    again = LeftFiles(worktrees, "msg_1")
    await again.begin(made.directory)
    put(folder, {"second.txt": "2\n"})
    assert await again.end(made.directory) == ("added first.txt", "added second.txt")
    put(folder, {"more.txt": "more work\n"})
    later = LeftFiles(worktrees, "msg_2")
    await later.begin(made.directory)
    assert await later.end(made.directory) == ("added first.txt", "added second.txt")
    done = await Integrator(worktrees).integrate(made, "apply", REQUEST)
    assert {change.path for change in done.changed} == {"work.txt", "more.txt"}


async def test_a_command_that_commits_has_changed_no_file(tmp_path: Path) -> None:
    worktrees = Worktrees(tmp_path / "state", ENVIRONMENT)
    made = await worktrees.create(str(make_repository(tmp_path / "project", {"a.txt": "a\n", "b.txt": "b\n"})))
    folder = Path(made.directory)
    put(folder, {"a.txt": "work\n", "new.txt": "work\n"})
    compared = LeftFiles(worktrees, "msg_1")
    await compared.begin(made.directory)
    put(folder, {"out.txt": "1\n"})
    (folder / "b.txt").unlink()
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "All")
    put(folder, {"later.txt": "1\n"})
    head = git(folder, "rev-parse", "HEAD").strip()
    result = await compared.end(made.directory)
    assert result == (f"moved HEAD to {head[:12]}", "deleted b.txt", "added later.txt", "added out.txt")
    done = await Integrator(worktrees).integrate(made, "apply", REQUEST)
    assert done.left_out == ["later.txt"]
    assert {change.path for change in done.changed} == {"a.txt", "b.txt", "new.txt", "out.txt"}


async def test_the_files_of_a_checkout_are_compared_too_and_no_repository_is_no_error(tmp_path: Path) -> None:
    worktrees = Worktrees(tmp_path / "state", ENVIRONMENT)
    repository = make_repository(tmp_path / "project", {"a.txt": "a\n"})
    put(repository, {"mine.txt": "mine\n"})
    assert await left_by(worktrees, str(repository), {"new.txt": "new\n"}) == ("added new.txt",)
    (tmp_path / "plain").mkdir()
    assert await left_by(worktrees, str(tmp_path / "plain"), {"new.txt": "new\n"}) == ()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a permission there")
async def test_a_worktree_that_was_replaced_by_a_link_is_refused(tmp_path: Path) -> None:
    worktrees = Worktrees(tmp_path / "state", ENVIRONMENT)
    repository = make_repository(tmp_path / "project")
    made = await worktrees.create(str(repository))
    shutil.rmtree(made.folder)
    os.symlink(repository, made.folder)  # noqa: PTH211 - as an agent does it
    with pytest.raises(InvalidArgument, match="replaced by a link"):
        await LeftFiles(worktrees, "msg_1").begin(made.directory)
