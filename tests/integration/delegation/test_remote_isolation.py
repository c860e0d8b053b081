"""Isolated runs of an OpenCode on another machine: this one's, at an address that the bridge does not know as its own.

The bridge knows the paths there as text only, so that it touches no file of a worktree.
"""

import os
import shutil
import subprocess
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from opencode_mcp.opencode.versions import Generation
from opencode_mcp.text.quantities import quantity
from tests.harness.bridges.bridge import Era, open_bridge
from tests.harness.bridges.launch import Launch, attaching
from tests.harness.differences import BRANCHES_OF_DISCARDED
from tests.harness.project import git
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.integration.host import Host
from tests.scripted_model.script import bash, script, text, write

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]

PERSON = {f"GIT_{who}_{what}": "t@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
FAR = "127.1"
"""Another name of the loopback address."""


@pytest.fixture(scope="package")
def far_launch(
    tmp_path_factory: pytest.TempPathFactory, scripted_model: ScriptedModel, opencode_server: OpenCode, tracked: Path
) -> Launch:
    """A bridge for which the run's OpenCode is on another machine."""
    launch = attaching(tmp_path_factory.mktemp("far"), scripted_model, opencode_server, tracked)
    far = launch.within(OPENCODE_MCP_URL=opencode_server.url.replace("127.0.0.1", FAR), NO_PROXY=FAR)
    return far.with_places()


@pytest.fixture
async def far(era: Era, far_launch: Launch) -> AsyncGenerator[Host]:
    """A host of that bridge."""
    async with open_bridge(far_launch, era=era) as bridge:
        yield Host(bridge)


def branches(project: Path) -> list[str]:
    """Return the branches of isolated runs."""
    return git(project, "branch", "--list", "--format=%(refname:short)", "opencode/*").split()


def files_in(folder: Path) -> list[Path]:
    """Return the files and folders in a folder; none if it does not exist."""
    return list(folder.glob("*"))


def replacements(folder: Path, other: Path) -> Iterator[str]:
    """Move a folder away, have others in its place, and name each; in the end there is nothing, and it is deleted."""
    moved = folder.rename(folder.with_name(f"{folder.name}-moved"))
    yield "nothing"
    folder.mkdir()
    yield "a folder"
    folder.rmdir()
    folder.symlink_to(other)
    yield "a link"
    folder.unlink()
    shutil.rmtree(moved)


def run_named(refused: str) -> None:
    """Run the command that a refusal names, as a person does on the other machine."""
    command = refused.partition("does the rest: `")[2].partition("`. ")[0]
    subprocess.run(["/bin/sh", "-c", command], check=True, env={**os.environ, **PERSON})  # noqa: S603 - our own text


async def test_a_far_run_works_in_a_worktree_that_opencode_makes_and_removes(
    far: Host, tracked: Path, case: str
) -> None:
    name = f"far-{case}.txt"
    (tracked / f"own-{name}").write_text("the person's\n", encoding="utf-8")
    report = await far.run(write(name, "by OpenCode\n"), text("Done."), isolate=True, title="A far file")
    session_id, folder = report["session_id"], Path(report["directory"])
    assert report["status"] == "completed", report
    assert [file["path"] for file in report["files"]] == [name]
    assert ((folder / name).is_file(), (tracked / name).exists()) == (True, False)
    own = len(git(tracked, "status", "--porcelain", "--untracked-files=all").splitlines())
    assert f"without {quantity(own, 'uncommitted file')} of the checkout." in report["note"]
    assert f'opencode_integrate(session_id="{session_id}", how="merge") says how' in report["next"]

    again = await far.run(bash(f"cat {name}"), text("Done."), session_id=session_id)
    assert again["directory"] == report["directory"]
    assert f"these changed files of the worktree here: {name}" in again["note"]
    assert name in await far.text("opencode_diff", session_id=session_id)
    assert f"isolated worktrees: opencode/{folder.name} ({session_id})" in await far.text("opencode_status")

    dropped = await far.text("opencode_integrate", session_id=session_id, how="discard")
    assert f"- added: {name}" in dropped
    assert not files_in(folder)
    patch = dropped.partition("To undo it within 30 days: copy ")[2].partition(" from the machine")[0]
    git(tracked, "apply", patch)
    assert (tracked / name).read_text(encoding="utf-8") == "by OpenCode\n"
    (tracked / name).unlink()
    assert branches(tracked) == []
    assert "was removed" in await far.error("opencode_run", prompt="Go on", session_id=session_id)
    assert session_id in await far.text("opencode_list_sessions")
    (tracked / f"own-{name}").unlink()


async def test_far_work_comes_back_by_the_commands_that_a_refusal_names(
    far: Host, tracked: Path, case: str, opencode_generation: Generation
) -> None:
    name = f"far-merged-{case}.txt"
    report = await far.run(write(name, "by OpenCode\n"), text("Done."), isolate=True, title="It's merged")
    refused = await far.error("opencode_integrate", session_id=report["session_id"], how="apply")
    run_named(refused)
    assert (tracked / name).read_text(encoding="utf-8") == "by OpenCode\n"

    dropped = await far.text("opencode_integrate", session_id=report["session_id"], how="discard")
    assert name not in dropped
    left = branches(tracked)
    assert len(left) == BRANCHES_OF_DISCARDED[opencode_generation]
    git(tracked, "reset", "--hard")
    if left:
        git(tracked, "branch", "-D", *left)


async def test_a_far_branch_stays_when_its_worktree_was_removed_there(far: Host, tracked: Path, case: str) -> None:
    report = await far.run(write(f"far-kept-{case}.txt", "x\n"), text("Done."), isolate=True)
    refused = await far.error("opencode_integrate", session_id=report["session_id"], how="branch")
    run_named(refused)
    assert "removed" in await far.text("opencode_integrate", session_id=report["session_id"], how="branch")
    kept = branches(tracked)
    assert kept == [f"opencode/{Path(report['directory']).name}"]
    git(tracked, "branch", "-D", *kept)


async def test_a_far_worktree_that_was_replaced_is_refused_until_a_person_has_cleared_the_place(
    far: Host, tracked: Path
) -> None:
    report = await far.run(write("replaced.txt", "x\n"), text("Done."), isolate=True)
    session_id, folder = report["session_id"], Path(report["directory"])
    for place in replacements(folder, tracked):
        refused = await far.error("opencode_run", prompt=script(bash("touch here")), session_id=session_id)
        assert f"`git -C {tracked} worktree prune`" in refused, place
        if place != "nothing":
            refused = await far.error("opencode_integrate", session_id=session_id, how="discard")
            assert "remove only the link" in refused
    assert not (tracked / "here").exists()

    git(tracked, "worktree", "prune")
    left = branches(tracked)
    assert "is removed" in await far.text("opencode_integrate", session_id=session_id, how="discard")
    assert branches(tracked) == left
    if left:
        git(tracked, "branch", "-D", *left)


async def test_a_far_worktree_begins_with_the_last_commit_only(far: Host) -> None:
    refused = await far.error("opencode_run", prompt="x", isolate=True, base="working_tree")
    assert "makes worktrees that begin with HEAD only" in refused


async def test_a_far_task_of_a_batch_is_isolated_and_outlives_its_session(far: Host, tracked: Path, case: str) -> None:
    name = f"far-task-{case}.txt"
    prompt = script(write(name, "x\n"), text("Done."))
    table = await far.data("opencode_run_many", tasks=[{"prompt": prompt}], common={"isolate": True})
    assert [(task["status"], task["file_names"]) for task in table["tasks"]] == [("completed", [name])]
    session_id = table["tasks"][0]["session_id"]
    assert f'opencode_integrate(session_id="{session_id}", how="merge") says how' in table["next"]

    note = await far.text("opencode_delete_session", session_id=session_id)
    branch = note.partition('opencode_integrate(session_id="')[2].partition('"')[0]
    assert f"with changes of 1 file on the branch {branch}" in note
    assert f"- added: {name}" in await far.text("opencode_integrate", session_id=branch, how="discard")
    assert branches(tracked) == []
    assert "isolated worktrees: none" in await far.text("opencode_status")
