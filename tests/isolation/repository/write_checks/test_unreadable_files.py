"""Files that git cannot read: nothing is brought back or kept in part, and a discard removes them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.isolation.git_repository import make_repository

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
SCRIPT = """
import asyncio, os, stat, sys
from pathlib import Path
from opencode_mcp.errors import GitFailed
from opencode_mcp.isolation.integration import Integrator
from opencode_mcp.isolation.integration_result import IntegrationOptions
from opencode_mcp.isolation.worktrees import Worktrees

async def main(repository, state, closed):
    worktrees = Worktrees(Path(state), os.environ)
    made = await worktrees.create(repository)
    folder = Path(made.folder)
    (folder / "sub").mkdir()
    (folder / "sub" / "new.txt").write_text("new")
    (folder / closed).chmod(0)
    integrator = Integrator(worktrees)
    for how in ("branch", "apply"):
        try:
            await integrator.integrate(made, how, IntegrationOptions("message"))
        except GitFailed as error:
            print(how, error.message, error.hint)
        assert folder.is_dir() and (worktrees.find(made.name) is not None)
    done = await integrator.integrate(made, "discard", IntegrationOptions("message"))
    print("discard", done.lost)
    assert not folder.exists()

asyncio.run(main(*sys.argv[1:]))
"""
CAPABILITIES = "-dac_override,-dac_read_search"


def bound_by_permissions() -> Sequence[str]:
    """The beginning of a command that permissions bind, too, if it is root's."""
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("Permissions do not bind the root user, and there is no setpriv.")
    return (setpriv, f"--bounding-set={CAPABILITIES}", f"--inh-caps={CAPABILITIES}")


@pytest.mark.parametrize("closed", ["a.txt", "sub/new.txt", "sub"])
def test_work_that_git_cannot_read_is_refused_whole_and_can_be_discarded(tmp_path: Path, closed: str) -> None:
    repository = make_repository(tmp_path / "project")
    command = [*bound_by_permissions(), sys.executable, "-c", SCRIPT, str(repository), str(tmp_path / "state"), closed]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - the test's own command
    assert done.returncode == 0, done.stderr
    branch, apply, discard = done.stdout.splitlines()
    for line in (branch, apply):
        assert "Permission denied" in line
        assert closed in line
        assert "Nothing was changed." in line
    assert "Permission denied" in discard
