"""Runs in worktrees of their own, over stdio: the checkout changes only when the work is brought back."""

import shutil
from pathlib import Path

import pytest

from tests.harness.bridges.bridge import data_of
from tests.harness.project import git
from tests.harness.servers.model import ScriptedModel
from tests.integration.host import Host, Json
from tests.scripted_model.script import bash, hold, step, text, write

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]


def files_of(directory: str) -> dict[str, bytes]:
    """Return the files of a project, without git's own."""
    found = [path for path in Path(directory).rglob("*") if path.is_file() and ".git" not in path.parts]
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in found}


async def integrate(host: Host, report: Json, how: str, **arguments: object) -> Json:
    """Bring the work of a run back."""
    return data_of(await host.bridge.call("opencode_integrate", session_id=report["session_id"], how=how, **arguments))


async def revert_leaves_the_checkout(host: Host, report: Json, project: Path) -> None:
    """Undo a run in its worktree, and expect the result to say how the project gets rid of the work."""
    output = await host.text("opencode_revert", session_id=report["session_id"], message_id=report["message_id"])
    by_undo = f'opencode_integrate(session_id="{report["session_id"]}", how="undo") takes its work out of there.'
    assert f"{project} stays as it is: {by_undo}" in output


def replace_by_link(worktree: str, target: Path) -> None:
    """Put a link to another folder in the place of a worktree."""
    shutil.rmtree(worktree)
    Path(worktree).symlink_to(target)


async def test_isolated_work_comes_back_by_apply_and_goes_by_undo(host: Host, tracked: Path, case: str) -> None:
    name = f"isolated-{case}.txt"
    before = files_of(str(tracked))
    report = await host.run(
        write(name, "by OpenCode\n"), text("Done."), directory=str(tracked), isolate=True, title="An isolated file"
    )
    assert report["status"] == "completed"
    assert report["directory"] != str(tracked)
    assert f'opencode_integrate(session_id="{report["session_id"]}", how="apply")' in report["next"]
    assert [file["path"] for file in report["files"]] == [name]
    assert files_of(str(tracked)) == before

    again = await host.run(write(f"more-{name}", "more\n"), text("Done."), session_id=report["session_id"])
    assert again["directory"] == report["directory"]
    branch = git(Path(report["directory"]), "branch", "--show-current").strip()
    shown = await host.text("opencode_diff", session_id=report["session_id"])
    assert f"{report['directory']}, a git worktree, on the branch {branch}; {tracked} is unchanged." in shown
    assert f'opencode_integrate(session_id="{report["session_id"]}", how="apply") brings the changes there.' in shown
    assert f"isolated on {branch}" in await host.text("opencode_list_sessions", directory=str(tracked))
    done = await integrate(host, report, "apply")
    assert {file["path"] for file in done["files"]} == {name, f"more-{name}"}
    listed = await host.text("opencode_list_sessions", directory=str(tracked))
    assert f"isolated on {branch}, brought back" in listed
    assert "brings what it has changed since" in await host.text("opencode_diff", session_id=report["session_id"])
    assert done["undo"] == f'call opencode_integrate(session_id="{report["session_id"]}", how="undo").'
    assert (tracked / name).read_text(encoding="utf-8") == "by OpenCode\n"
    await revert_leaves_the_checkout(host, again, tracked)
    await integrate(host, report, "undo")
    replace_by_link(report["directory"], tracked)
    assert "replaced by a link" in await host.error("opencode_diff", session_id=report["session_id"])
    await integrate(host, report, "discard")
    assert (files_of(report["directory"]), files_of(str(tracked))) == ({}, before)
    assert git(tracked, "branch", "--list", "opencode/an-isolated-file-*").strip() == ""
    assert "removed" in await host.error("opencode_run", prompt="Go on", session_id=report["session_id"])


async def test_a_conflict_is_shown_and_resolved_by_the_same_session(
    host: Host, workplace: Path, scripted_model: ScriptedModel, case: str
) -> None:
    name = f"conflict-{case}.txt"
    key = f"isolated-{case}"
    session_id = await host.start(step(hold(key), write(name, "theirs\n")), text("Done."), isolate=True)
    (workplace / name).write_text("mine\n", encoding="utf-8")
    assert "is running" in await host.error("opencode_integrate", session_id=session_id, how="apply")
    await scripted_model.release(key)
    report = await host.wait(session_id)
    assert report["status"] == "completed", report
    done = await integrate(host, report, "apply")
    assert (done["integrated"], done["conflicts"]) == (False, [name])
    assert (workplace / name).read_text(encoding="utf-8") == "mine\n"

    await host.run(write(name, "mine\n"), text("Adapted."), session_id=session_id)
    assert (await integrate(host, report, "apply"))["conflicts"] == []
    await integrate(host, report, "discard")
    (workplace / name).unlink()


async def test_work_that_is_brought_back_beside_a_run_is_that_of_its_own_session(
    host: Host, tracked: Path, scripted_model: ScriptedModel, case: str
) -> None:
    brought, beside, key = f"brought-{case}.txt", f"beside-{case}.txt", f"beside-{case}"
    place = str(tracked)
    isolated = await host.run(write(brought, "x\n"), directory=place, isolate=True, title=f"Isolated {case}")
    running = await host.start(step(hold(key), write(beside, "x\n"), bash(f"touch {beside}")), directory=place)
    await scripted_model.reached(key)
    apart = f"Work in isolated worktrees is not in it: opencode_diff(session_id=...) of {isolated['session_id']}"
    assert apart in await host.text("opencode_diff", directory=place)
    await integrate(host, isolated, "apply")
    assert apart not in await host.text("opencode_diff", directory=place)
    await scripted_model.release(key)
    report = await host.wait(running)
    whose = {file["path"]: file.get("whose", "this") for file in report["files"]}
    assert whose == {beside: "this", brought: "other"}
    (other,) = next(file["others"] for file in report["files"] if file["path"] == brought)
    assert other == {"session_id": isolated["session_id"], "title": f"Isolated {case}"}
    listed = await host.data("opencode_list_sessions", directory=place)
    [row] = [row for row in listed["sessions"] if row["session_id"] == running]
    assert [file["path"] for file in row["files"]] == [beside]
    assert brought in await host.text("opencode_diff", session_id=isolated["session_id"])
    shown = await host.text("opencode_diff", session_id=running)
    assert f"1 file that other sessions changed is left out: {brought} ({isolated['session_id']}" in shown
    await integrate(host, isolated, "undo")
    await integrate(host, isolated, "discard")
    (tracked / beside).unlink()


async def test_a_run_that_cannot_be_isolated_leaves_nothing(host: Host, workplace: Path) -> None:
    before = git(workplace, "worktree", "list"), git(workplace, "branch", "--list")
    for arguments, part in (
        ({"base": "main"}, "isolate"),
        ({"isolate": True, "base": "no-such-branch"}, "no branch or commit"),
        ({"isolate": True, "model": "nobody/nothing"}, "model"),
        ({"isolate": True, "files": ["no-such-file"]}, "no file"),
    ):
        assert part in await host.error("opencode_run", prompt="Do it", **arguments)
    session_id = await host.start(text("Here."))
    assert "exists already" in await host.error("opencode_run", prompt="Go on", session_id=session_id, isolate=True)
    assert "no isolated worktree" in await host.error("opencode_integrate", session_id=session_id, how="apply")
    assert (git(workplace, "worktree", "list"), git(workplace, "branch", "--list")) == before


async def test_the_session_of_a_removed_worktree_can_be_read_counts_for_its_project_and_can_be_deleted(
    host: Host, tracked: Path, case: str
) -> None:
    place = str(tracked)
    report = await host.run(write("gone.txt", "x\n"), text(f"Written {case}."), directory=place, isolate=True)
    session_id = report["session_id"]
    shown = await host.data("opencode_status", directory=place)
    assert session_id in shown["isolated_worktrees"].values()
    done = await host.text("opencode_integrate", session_id=session_id, how="discard")
    assert "lacks its changes of 1 file." in done

    view = await host.data("opencode_session", session_id=session_id)
    assert f"Written {case}." in view["transcript"]
    listed = await host.data("opencode_list_sessions", directory=place)
    [row] = [row for row in listed["sessions"] if row["session_id"] == session_id]
    assert row["worktree_removed"]
    cost = await host.data("opencode_cost", directory=place)
    assert {row["project"] for row in cost["by_project"]} == {place}
    shown = await host.data("opencode_status", directory=place)
    assert session_id not in shown["isolated_worktrees"].values()
    for tool, arguments in (
        ("opencode_run", {"prompt": "Go on"}),
        ("opencode_integrate", {"how": "apply"}),
        ("opencode_call_operation", {"operation": "session.fork", "arguments": {"sessionID": session_id}}),
    ):
        named = arguments if tool == "opencode_call_operation" else {**arguments, "session_id": session_id}
        assert "was removed" in await host.error(tool, **named)
    await host.data("opencode_delete_session", session_id=session_id)
    assert "no session" in await host.error("opencode_session", session_id=session_id)


async def test_work_whose_session_is_deleted_is_still_brought_back(host: Host, tracked: Path, case: str) -> None:
    name = f"orphan-{case}.txt"
    report = await host.run(write(name, "kept\n"), text("Done."), directory=str(tracked), isolate=True)
    output = await host.text("opencode_delete_session", session_id=report["session_id"])
    assert "changes of 1 file on the branch" in output
    shown = await host.data("opencode_status", directory=str(tracked))
    [branch] = [name for name, session in shown["isolated_worktrees"].items() if session == report["session_id"]]
    assert branch in output
    await host.data("opencode_integrate", session_id=branch, how="apply")
    assert (tracked / name).read_text(encoding="utf-8") == "kept\n"
    await host.data("opencode_integrate", session_id=branch, how="undo")
    await host.data("opencode_integrate", session_id=branch, how="discard")
    assert not (tracked / name).exists()
    shown = await host.data("opencode_status", directory=str(tracked))
    assert branch not in shown["isolated_worktrees"]
