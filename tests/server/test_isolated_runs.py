"""A report says where the changed files are, and names no tool that is not listed."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from opencode_mcp.isolation.integration import Integrator
from opencode_mcp.isolation.integration_result import IntegrationOptions
from opencode_mcp.isolation.worktrees import Worktrees
from opencode_mcp.options import IsolationSetup
from opencode_mcp.runs.outcome.run_report import ChangedFile, RunReport
from opencode_mcp.server.new_runs.isolated_runs import isolation_note
from opencode_mcp.server.results.run_reports.run_steps import next_step
from opencode_mcp.settings import Settings
from tests.isolation.git_repository import ENVIRONMENT, make_repository, put
from tests.remote_isolation.far_opencode import READY, REPOSITORY, FarOpenCode, worktrees_of

pytestmark = pytest.mark.anyio


def _report(files: list[ChangedFile]) -> RunReport:
    return RunReport(status="completed", session_id="ses_1", message_id="msg_1", directory="/p", files=files)


async def test_a_note_names_the_branch_and_only_a_listed_tool(tmp_path: Path) -> None:
    worktrees = Worktrees(tmp_path / "state", ENVIRONMENT)
    made = await worktrees.create(str(make_repository(tmp_path / "project")))
    run = cast("Any", SimpleNamespace(directory=made.directory, session_id="ses_1"))
    shown = [ChangedFile(path="a.txt", change="modified", added=1, removed=0, outside=True)]
    changed, unchanged = (_report(files) for files in (shown, []))

    async def note(report: Any, *unlisted: str) -> str:  # noqa: ANN401 - a stand-in
        parts = {"worktrees": worktrees, "integrator": Integrator(worktrees)}
        bridge = SimpleNamespace(settings=Settings(), unlisted_tools=unlisted, **parts)
        return await isolation_note(cast("Any", bridge), run, report)

    assert made.branch in await note(changed)
    assert "opencode_integrate" in await note(changed)
    assert made.branch in await note(changed, "opencode_integrate")
    assert "opencode_integrate" not in await note(changed, "opencode_integrate")
    assert (await note(unchanged)).startswith(f"It changed no file in its git worktree, on the branch {made.branch}.")
    put(Path(made.folder), {"large.bin": "x", "a.txt": "changed\n"})
    assert (await note(changed)).endswith("OpenCode does not list these changed files of the worktree here: large.bin.")
    assert f"{made.project} is unchanged" in await note(changed)
    integrator = Integrator(worktrees)
    await integrator.integrate(worktrees.of(made.directory), "apply", IntegrationOptions("Work"))
    assert f"{made.project} has work of this session" in await note(changed)
    await integrator.integrate(worktrees.of(made.directory), "undo", IntegrationOptions("Work"))
    assert f"{made.project} is unchanged" in await note(changed)
    assert "a.txt, large.bin" in await note(unchanged)
    shutil.rmtree(made.folder)
    assert 'how="discard"' in await note(changed)
    assert 'how="apply"' not in await note(changed) + next_step(changed)
    assert "opencode_run(prompt=...) begins a new session" in next_step(changed)


async def test_a_note_says_that_the_setup_did_not_run_on_another_machine(tmp_path: Path) -> None:
    worktrees = worktrees_of(FarOpenCode(events=[READY]), tmp_path)
    made = await worktrees.create(REPOSITORY)
    run = cast("Any", SimpleNamespace(directory=made.directory, session_id="ses_1"))
    running = _report([]).model_copy(update={"status": "running"})
    notes: dict[str, str] = {}
    for setup in (IsolationSetup(), IsolationSetup(command="npm ci")):
        bridge = SimpleNamespace(settings=Settings(isolation=setup), unlisted_tools=(), worktrees=worktrees)
        notes[setup.command] = await isolation_note(cast("Any", bridge), run, running)
    assert notes[""] == ""
    assert notes["npm ci"].startswith("The setup of the settings for isolated runs did not run")


async def test_a_note_counts_the_uncommitted_files_that_the_worktree_began_without(tmp_path: Path) -> None:
    project = make_repository(tmp_path / "project")
    put(project, {"a.txt": "not committed\n", "new.txt": "new\n"})
    worktrees = Worktrees(tmp_path / "state", ENVIRONMENT)
    notes: dict[str, str] = {}
    for base in ("HEAD", "working_tree"):
        made = await worktrees.create(str(project), base=base)
        bridge = SimpleNamespace(settings=Settings(), unlisted_tools=(), worktrees=worktrees)
        run = cast("Any", SimpleNamespace(directory=made.directory, session_id="ses_1"))
        running = _report([]).model_copy(update={"status": "running"})
        notes[base] = await isolation_note(cast("Any", bridge), run, running)
    assert "began at the last commit, without 2 uncommitted files of the checkout" in notes["HEAD"]
    assert notes["working_tree"] == ""
