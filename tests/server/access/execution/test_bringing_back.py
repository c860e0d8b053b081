"""Isolated work changes a file of OpenCode's setup in the checkout only where opencode_revert may change one."""

from pathlib import Path

import pytest

from opencode_mcp.errors import NotAllowed
from opencode_mcp.isolation.integration import Integrator
from opencode_mcp.isolation.integration_result import IntegrationOptions
from opencode_mcp.isolation.integration_ways import How
from opencode_mcp.isolation.worktree_records import Worktree
from opencode_mcp.isolation.worktrees import Worktrees
from opencode_mcp.opencode.operation_catalog import catalog
from opencode_mcp.opencode.versions import Generation
from opencode_mcp.server.access.allowed_operations import AllowedOperations
from opencode_mcp.server.access.execution.integration_checks import check_of
from opencode_mcp.server.access.operations_of_tools import UNDO
from opencode_mcp.settings import Settings
from tests.isolation.git_repository import ENVIRONMENT, contents, make_repository, put

pytestmark = pytest.mark.anyio


def options_for(*allow: str, generation: Generation, worktree: Worktree) -> IntegrationOptions:
    operation = catalog.table_of(generation).operation(UNDO[generation])
    return IntegrationOptions("Work", check=check_of(AllowedOperations(Settings(allow=allow)), operation, worktree))


@pytest.mark.parametrize("how", ["apply", "commit", "merge"])
@pytest.mark.parametrize("path", ["opencode.json", "src/.opencode/plugin/own.js"])
async def test_a_setup_file_needs_the_operators_permission_and_without_it_nothing_is_changed(
    tmp_path: Path, how: How, path: str
) -> None:
    project = make_repository(tmp_path / "project", {"a.txt": "a\n"})
    worktrees = Worktrees(tmp_path / "state", ENVIRONMENT)
    worktree = await worktrees.create(str(project))
    put(Path(worktree.folder), {"a.txt": "b\n", path: "{}\n"})
    before = contents(project)
    with pytest.raises(NotAllowed) as caught:
        await Integrator(worktrees).integrate(worktree, how, options_for(generation=1, worktree=worktree))
    assert f"would change '{path}', which decides what OpenCode runs and asks" in str(caught.value)
    assert caught.value.change
    assert caught.value.change.flags == "--allow session.revert"
    assert contents(project) == before
    assert options_for("session.revert", generation=1, worktree=worktree).check is None
    assert options_for("session.revert.stage", generation=2, worktree=worktree).check is None
    await Integrator(worktrees).integrate(worktree, how, options_for("execute", generation=1, worktree=worktree))
    assert (project / path).read_text(encoding="utf-8") == "{}\n"


async def test_an_undo_needs_the_same_permission(tmp_path: Path) -> None:
    project = make_repository(tmp_path / "project", {"a.txt": "a\n"})
    worktrees = Worktrees(tmp_path / "state", ENVIRONMENT)
    worktree = await worktrees.create(str(project))
    put(Path(worktree.folder), {"opencode.json": "{}\n"})
    integrator = Integrator(worktrees)
    await integrator.integrate(worktree, "apply", options_for("execute", generation=2, worktree=worktree))
    with pytest.raises(NotAllowed):
        await integrator.integrate(worktree, "undo", options_for(generation=2, worktree=worktree))
    assert (project / "opencode.json").exists()


async def test_work_without_such_a_file_needs_no_permission_and_branch_keeps_all(tmp_path: Path) -> None:
    project = make_repository(tmp_path / "project", {".claude/app/a.txt": "a\n"})
    worktrees = Worktrees(tmp_path / "state", ENVIRONMENT)
    worktree = await worktrees.create(str(project / ".claude" / "app"))
    put(Path(worktree.directory), {"a.txt": "b\n"})
    options = options_for(generation=1, worktree=worktree)
    await Integrator(worktrees).integrate(worktree, "apply", options)
    assert (project / ".claude/app/a.txt").read_text(encoding="utf-8") == "b\n"
    put(Path(worktree.directory), {"opencode.json": "{}\n"})
    assert (await Integrator(worktrees).integrate(worktree, "branch", options)).commit
