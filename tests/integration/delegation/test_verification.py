"""Work of a run is verified by a command at its end, in its directory, and a failure is sent back to its session."""

import ast
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.harness.bridges.launch import Launch
from tests.harness.bridges.rawrpc import open_raw
from tests.harness.processes.isolation import ROOT
from tests.harness.project import git
from tests.harness.servers.model import ScriptedModel
from tests.harness.waiting import eventually
from tests.integration.host import Host
from tests.scripted_model.script import hold, script, step, text, write

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.integration,
    pytest.mark.both_generations,
    pytest.mark.skipif(sys.platform == "win32", reason="the commands are POSIX's"),
]
ONCE = """
[verify]
second = "echo $$ >> pids.txt; test $(wc -l < pids.txt) = 2 || sleep 600"
"""
"""Command that hangs the first time and passes the second time."""


async def has_ended(pid: int) -> bool:
    """Tell whether a process has ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return False
    return True


async def pid_in(file: Path) -> int:
    """Return the last process id that a command has written into a file; 0 if there is none yet."""
    path = anyio.Path(file)
    words = (await path.read_text(encoding="utf-8")).split() if await path.exists() else []
    return int(words[-1]) if words else 0


def recipe() -> list[tuple[str, dict[str, Any]]]:
    """Return the calls of the recipe of a verified fix, as the page has them: tools with their arguments."""
    page = (ROOT / "docs" / "delegation.md").read_text(encoding="utf-8")
    block = page.partition("## Recipe: a fix in isolation")[2].partition("```text\n")[2].partition("```")[0]
    # The page writes the values of JSON, as a host sends them.
    block = block.replace("=true", "=True")
    calls = [node for node in ast.walk(ast.parse(block)) if isinstance(node, ast.Call)]
    return [
        (ast.unparse(call.func), {key.arg or "": ast.literal_eval(key.value) for key in call.keywords})
        for call in calls
    ]


async def test_the_recipe_of_a_verified_fix_brings_repaired_work_back_and_not_what_the_command_left(
    host: Host, tracked: Path
) -> None:
    before = git(tracked, "status", "--porcelain")
    (run, wanted), (diff, _), (integrate, way), (last, end) = recipe()
    wanted["prompt"] = script(text("Done."), later=[write("proof.txt", "proven\n"), text("Corrected.")])
    report = await host.data(run, **wanted, directory=str(tracked))
    assert (report["status"], report["verified"], report["text"]) == ("completed", "passed", "Corrected.")
    found = report["verification"]
    assert (found["exit_code"], found["output"], found["repairs"]) == (0, "proven", 1)
    assert found["left"] == ["added made.txt"]
    assert [file["path"] for file in report["files"]] == ["proof.txt"]
    assert git(tracked, "status", "--porcelain") == before

    session = {"session_id": report["session_id"]}
    again = await host.wait(**session)
    assert {**again, "seconds": 0, "title": ""} == {**report, "seconds": 0, "title": ""}
    last_run = (await host.data("opencode_session", **session))["last_run"]
    assert (last_run["message_id"], last_run["prompt"]) == (report["message_id"], report["prompt"])
    assert last_run["seconds"] == pytest.approx(again["seconds"], abs=1)
    assert "Left by the verification: added made.txt." in await host.text(diff, **session)
    output = await host.text(integrate, **way | session)
    assert "Left out, since the setup changed them or a verification added them: made.txt" in output
    assert (tracked / "proof.txt").exists()
    assert not (tracked / "made.txt").exists()
    await host.data("opencode_integrate", **session, how="undo")
    await host.data(last, **end | session)


async def test_a_failure_and_a_command_that_takes_too_long_are_reported_with_their_output(
    host: Host, workplace: Path
) -> None:
    line = "echo Bad: 3 of 4; exit 3"
    report = await host.run(text("Done."), directory=str(workplace), verify=line)
    assert (report["status"], report["verified"]) == ("completed", "failed")
    found = report["verification"]
    assert (found["command"], found["exit_code"], found["output"]) == (line, 3, "Bad: 3 of 4")
    assert "corrected" in report["next"]

    session = report["session_id"]
    report = await host.data("opencode_run", prompt=script(text("Done.")), session_id=session, verify="short", repair=1)
    assert (report["status"], report["verified"]) == ("completed", "timed out")
    assert report["verification"]["repairs"] == 1
    assert "exit_code" not in report["verification"]
    shown = await host.data("opencode_session", session_id=session)
    assert "The work was verified with this command, which did not end in time" in shown["transcript"]


async def test_a_run_goes_on_while_its_work_is_verified_and_a_stop_ends_the_command(
    host: Host, workplace: Path
) -> None:
    session = await host.start(text("Done."), directory=str(workplace), verify="slow")
    file = workplace / "pid.txt"
    pid = await eventually(lambda: pid_in(file))
    report = await host.wait(session, wait_seconds=0.1)
    assert report["status"] == "running"
    assert report["activity"].startswith("verifying: echo begun")
    assert "verifying: echo begun" in await host.text("opencode_session", session_id=session)
    assert "is being verified" in await host.error("opencode_run", prompt="Go on", session_id=session)
    output = await host.text("opencode_abort", session_id=session)
    assert "Verification: no result" in output
    assert "It was stopped." in output
    assert await eventually(lambda: has_ended(pid))
    report = await host.wait(session)
    assert (report["status"], report.get("verified")) == ("completed", None)

    for name in ("pid.txt", "begun.txt"):
        (workplace / name).unlink()
    await host.start(text("Done."), session_id=session, verify="slow")
    pid = await eventually(lambda: pid_in(file))
    await host.data("opencode_delete_session", session_id=session)
    assert await eventually(lambda: has_ended(pid))
    for name in ("pid.txt", "begun.txt"):
        (workplace / name).unlink()


async def third_pid(file: Path) -> int:
    """Return the process id of the third command; 0 until it has begun."""
    pids = (await anyio.Path(file).read_text(encoding="utf-8")).split()
    return int(pids[2]) if len(pids) > 2 else 0


async def test_a_killed_bridge_leaves_no_command_and_the_next_one_verifies_the_run_once_and_any_can_stop_it(
    launch: Launch, project: Path, tmp_path: Path, scripted_model: ScriptedModel
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(ONCE, encoding="utf-8")
    launch = launch.within(OPENCODE_MCP_CONFIG=str(settings))
    file = project / "pids.txt"
    async with open_raw(launch.as_installed()) as one, open_raw(launch) as other, open_raw(launch) as third:
        prompt = script(step(hold("before it"), text("Done.")))
        started = await one.call("opencode_run", prompt=prompt, verify="second", wait_seconds=0)
        session = {"session_id": started["structuredContent"]["session_id"]}
        watched = await other.call("opencode_wait", **session, wait_seconds=0)
        assert watched["structuredContent"]["status"] == "running"
        await scripted_model.release("before it")
        pid = await eventually(lambda: pid_in(file))
        watched = await other.call("opencode_wait", **session, wait_seconds=0)
        assert watched["structuredContent"]["status"] == "running"
        one.process.kill()
        assert await eventually(lambda: has_ended(pid))
        for bridge in (other, third):
            report = (await bridge.call("opencode_wait", **session))["structuredContent"]
            assert (report["status"], report["verified"]) == ("completed", "passed")
        assert len(file.read_text(encoding="utf-8").split()) == 2

        await third.call("opencode_run", **session, prompt=script(text("Done.")), verify="second", wait_seconds=0)
        pid = await eventually(lambda: third_pid(file))
        stopped = (await other.call("opencode_abort", **session))["structuredContent"]
        assert stopped["verification"]["note"] == "It was stopped."
        assert await eventually(lambda: has_ended(pid))
