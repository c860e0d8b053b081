"""A new worktree is prepared as the operator set it, and a preparation that fails says why."""

import os
import signal
import sys
from pathlib import Path

import anyio
import pytest

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.isolation.integration import Integrator
from opencode_mcp.isolation.integration_result import IntegrationOptions
from opencode_mcp.isolation.left_files import LeftFiles
from opencode_mcp.isolation.preparation import prepare
from opencode_mcp.isolation.worktree_records import Worktree
from opencode_mcp.isolation.worktrees import Worktrees
from opencode_mcp.options import IsolationSetup, as_isolation
from tests.harness.each import for_each
from tests.isolation.git_repository import ENVIRONMENT, git, make_repository, put

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform == "win32", reason="the shell lines are POSIX's")]


@pytest.fixture
async def worktree(tmp_path: Path, worktrees: Worktrees) -> Worktree:
    repository = make_repository(tmp_path / "project", {".gitignore": ".env\nkeys\n", "a.txt": "a\n"})
    put(repository, {".env": "KEY=1\n", "keys/one": "1\n"})
    return await worktrees.create(str(repository))


async def test_files_are_copied_before_the_command_runs(worktree: Worktree, worktrees: Worktrees) -> None:
    setup = IsolationSetup((".env", "keys", "not-there"), "cat .env keys/one > both.txt")
    await prepare(worktrees, worktree, setup, ENVIRONMENT, 60)
    assert (Path(worktree.folder) / "both.txt").read_text() == "KEY=1\n1\n"


async def test_what_the_command_adds_is_no_work_until_the_run_changes_it(
    worktree: Worktree, worktrees: Worktrees
) -> None:
    await prepare(worktrees, worktree, IsolationSetup((), "echo x > left.txt; echo x > used.txt"), ENVIRONMENT, 60)
    await worktrees.assign(worktree, "ses_1")
    put(Path(worktree.folder), {"used.txt": "by the run\n", "new.txt": "new\n"})
    done = await Integrator(worktrees).integrate(worktree, "apply", IntegrationOptions("Work"))
    assert sorted(change.path for change in done.changed) == ["new.txt", "used.txt"]
    assert done.left_out == ["left.txt"]


async def test_what_the_command_changes_or_deletes_is_no_work_until_the_run_changes_it(
    tmp_path: Path, worktrees: Worktrees
) -> None:
    files = {"lock.txt": "1\n", "used.txt": "1\n", "gone.txt": "1\n", "staged.txt": "1\n", "work.txt": "1\n"}
    repository = make_repository(tmp_path / "project", files)
    made = await worktrees.create(str(repository))
    setup = "for each in lock used staged; do echo 2 > $each.txt; done; rm gone.txt; git add staged.txt"
    await prepare(worktrees, made, IsolationSetup((), setup), ENVIRONMENT, 60)
    put(Path(made.folder), {"used.txt": "by the run\n", "work.txt": "by the run\n"})
    await left_by_a_formatter(worktrees, made)
    integrator = Integrator(worktrees)
    assert {change.path for change in await integrator.changed(made)} == {"used.txt", "work.txt", "staged.txt"}
    done = await integrator.integrate(made, "apply", IntegrationOptions("Work"))
    assert done.left_out == ["gone.txt", "lock.txt"]
    assert (repository / "lock.txt").read_text() == "1\n"
    assert (repository / "gone.txt").exists()
    kept = await integrator.integrate(made, "branch", IntegrationOptions("Work"))
    assert git(repository, "show", f"{kept.commit}:lock.txt").strip() == "1"


async def left_by_a_formatter(worktrees: Worktrees, made: Worktree) -> None:
    """Let a verification change a file of the run: it does not name what the setup has changed."""
    compared = LeftFiles(worktrees, "msg_1")
    await compared.begin(made.directory)
    put(Path(made.folder), {"work.txt": "formatted\n"})
    assert await compared.end(made.directory) == ("changed work.txt",)


async def test_a_command_that_fails_is_reported_with_its_output(worktree: Worktree, worktrees: Worktrees) -> None:
    with pytest.raises(InvalidSetting, match=r"exit code 3.*no such package"):
        await prepare(worktrees, worktree, IsolationSetup((), "echo no such package; exit 3"), ENVIRONMENT, 60)


async def test_a_command_that_takes_too_long_is_ended_with_what_it_started(
    tmp_path: Path, worktree: Worktree, worktrees: Worktrees
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # A reader gets the end of the file when the last process that holds the pipe has ended.
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(InvalidSetting, match="did not end within the 1 s"):
        await prepare(
            worktrees, worktree, IsolationSetup((), f"exec 9>'{pipe}'; sleep 600 & sleep 600"), ENVIRONMENT, 1
        )
    with anyio.fail_after(30):
        await anyio.wait_readable(reader)
    assert os.read(reader, 1) == b""
    os.close(reader)


async def test_a_process_that_stays_does_not_keep_the_preparation(worktree: Worktree, worktrees: Worktrees) -> None:
    with anyio.fail_after(30):
        await prepare(worktrees, worktree, IsolationSetup((), "sleep 60 & echo $! > sleeper"), ENVIRONMENT, 60)
    os.kill(int((Path(worktree.folder) / "sleeper").read_text()), signal.SIGTERM)


async def test_a_command_gets_no_password_of_opencode(worktree: Worktree, worktrees: Worktrees) -> None:
    names = ("OPENCODE_MCP_PASSWORD", "OPENCODE_SERVER_PASSWORD", "OPENCODE_PASSWORD")
    environment = {**ENVIRONMENT, **dict.fromkeys(names, "hunter2"), "OTHER": "kept"}
    await prepare(worktrees, worktree, IsolationSetup((), "env > seen.txt"), environment, 60)
    seen = (Path(worktree.folder) / "seen.txt").read_text()
    assert "hunter2" not in seen
    assert "OTHER=kept" in seen


async def test_a_copy_that_git_does_not_ignore_is_refused(worktree: Worktree, worktrees: Worktrees) -> None:
    put(Path(worktree.repository), {"plain.txt": "x\n"})
    with pytest.raises(InvalidSetting, match=r"git does not ignore plain\.txt"):
        await prepare(worktrees, worktree, IsolationSetup(("plain.txt",)), ENVIRONMENT, 60)


async def test_a_copy_through_a_link_out_of_the_worktree_is_refused(
    tmp_path: Path, worktree: Worktree, worktrees: Worktrees
) -> None:
    (tmp_path / "outside").mkdir()
    (Path(worktree.folder) / "keys").symlink_to(tmp_path / "outside")
    with pytest.raises(InvalidSetting, match="leads out of the worktree"):
        await prepare(worktrees, worktree, IsolationSetup(("keys/one",)), ENVIRONMENT, 60)
    with pytest.raises(InvalidSetting, match="leads out of the worktree"):
        await prepare(worktrees, worktree, IsolationSetup(("keys",)), ENVIRONMENT, 60)
    assert list((tmp_path / "outside").iterdir()) == []


@for_each(
    "value",
    ["npm ci", {"copy": ["/etc/passwd"]}, {"copy": ["../x"]}, {"copy": [""]}, {"setup": 3}, {"prepare": "npm ci"}],
)
def test_a_wrong_setting_is_refused(value: object) -> None:
    with pytest.raises(InvalidSetting):
        as_isolation(value)
