"""OpenCode is missing, wrong, or ends during a call: the error names the cause and what to do."""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
import pytest

from opencode_mcp.opencode.versions import Generation
from tests.harness.bridges.bridge import open_bridge
from tests.harness.bridges.launch import Launch, attaching, end_left_server, left_server
from tests.harness.faults.proxy import Proxy, proxy_to
from tests.harness.processes.process import kill
from tests.harness.project import SNAPSHOTS, configure
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode, free_port, running_opencode
from tests.harness.waiting import eventually
from tests.integration.backend import backend
from tests.integration.host import Host, changes, meanwhile
from tests.integration.own_opencode import startable
from tests.scripted_model.script import bash, hold, question, script, step, text, write
from tests.wires import cut_on_its_way

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

SECONDS = 180
ATTEMPTS = 7
"""Connections that a bridge attempts in about three seconds: longer than a server that it started may refuse them."""


@asynccontextmanager
async def connected(launch: Launch) -> AsyncGenerator[Host]:
    """A host at a bridge of the test's own."""
    with anyio.fail_after(SECONDS):
        async with open_bridge(launch) as bridge:
            yield Host(bridge)


@pytest.fixture
def unattached(launch: Launch) -> Launch:
    """A bridge without settings for an OpenCode."""
    kept = {name: value for name, value in launch.environment.items() if not name.startswith("OPENCODE_MCP_")}
    return replace(launch, environment=kept).within(OPENCODE_MCP_STATE=launch.environment["OPENCODE_MCP_STATE"])


def program(path: Path, lines: str) -> str:
    """A program in Python for what cannot be had for real: an OpenCode that does not work."""
    path.write_text(f"#!{sys.executable}\n{lines}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


needs_scripts = pytest.mark.skipif(sys.platform == "win32", reason="Windows runs no scripts by their first line")


# OpenCode cannot be had


@pytest.mark.parametrize("tool", ["opencode_run", "opencode_status", "opencode_list_sessions"])
async def test_an_opencode_that_is_not_installed_says_how_to_install_it(
    unattached: Launch, tmp_path: Path, tool: str
) -> None:
    launch = unattached.with_flags("--opencode", str(tmp_path / "nosuch"))
    async with connected(launch) as host:
        error = await host.error(tool, **({"prompt": "x"} if tool == "opencode_run" else {}))
    assert "There is no OpenCode executable at" in error
    assert "npm install -g opencode-ai" in error


@needs_scripts
async def test_an_opencode_that_does_not_start_is_reported_with_what_it_printed(
    unattached: Launch, tmp_path: Path
) -> None:
    broken = program(tmp_path / "opencode", "print('config is broken at line 3'); raise SystemExit(3)")
    async with connected(unattached.with_flags("--opencode", broken)) as host:
        error = await host.error("opencode_run", prompt="x")
    assert "ended with exit code 3" in error
    assert "config is broken at line 3" in error
    assert "`opencode serve`" in error
    assert left_server(unattached) is None


async def test_where_nothing_listens_the_address_is_reported(unattached: Launch) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with connected(unattached.with_flags("--url", url)) as host:
        error = await host.error("opencode_run", prompt="x")
        assert url in error
        assert "opencode_status" in error
        status = await host.error("opencode_status")
        assert url in status
        assert "Check that it runs, then call again." in status
        assert "opencode_status" not in status


@pytest.mark.both_generations
async def test_a_wrong_password_is_reported_without_being_repeated(
    unattached: Launch, opencode_server: OpenCode
) -> None:
    launch = unattached.with_flags("--url", opencode_server.url, "--password", "open-sesame")
    async with connected(launch) as host:
        error = await host.error("opencode_run", prompt="x")
    assert "OpenCode refused the password." in error
    assert "OPENCODE_SERVER_PASSWORD" in error
    assert "open-sesame" not in error + launch.printed()


async def test_something_else_at_the_address_is_reported(unattached: Launch, scripted_model: ScriptedModel) -> None:
    async with connected(unattached.with_flags("--url", scripted_model.url)) as host:
        error = await host.error("opencode_run", prompt="x")
    assert f"The program at {scripted_model.url} is not an OpenCode server." in error


async def test_a_bridge_that_could_not_reach_opencode_reaches_it_as_soon_as_it_is_there(
    unattached: Launch, opencode_environment: dict[str, str], tmp_path: Path
) -> None:
    port = free_port()
    launch = unattached.with_flags("--url", f"http://127.0.0.1:{port}", "--username", "opencode")
    async with connected(launch) as host:
        await host.error("opencode_status")
        with running_opencode(opencode_environment, tmp_path / "late.log", port=port) as server:
            error = await host.error("opencode_status")
            assert "refused the password" in error, f"it answers at {server.url} now, and wants its password"


# OpenCode goes away


@pytest.mark.both_generations
async def test_a_killed_opencode_ends_the_wait_with_what_is_known(
    opencode_generation: Generation, scripted_model: ScriptedModel, project: Path, tmp_path: Path
) -> None:
    answer = step(text("So far so good. "), hold("killed"), text("Never said."))
    with startable(opencode_generation, tmp_path, scripted_model)(tmp_path / "own.log") as server:
        launch = attaching(tmp_path, scripted_model, server, project)
        async with connected(launch) as host, meanwhile(partial(host.run, answer)) as reports:
            await scripted_model.reached("killed")
            await host.wait_for_progress("writing, ")
            kill(server.process)
    assert reports[0]["status"] == "failed"
    assert "OpenCode went away in the middle of the run." in reports[0]["error"]
    assert "So far so good." in reports[0]["text"]
    assert "opencode_wait" in reports[0]["next"]


async def test_after_a_kill_the_next_call_starts_opencode_anew_and_the_history_is_there(
    own_launch: Launch, scripted_model: ScriptedModel, project: Path
) -> None:
    configure(project, SNAPSHOTS)
    async with connected(own_launch) as host:
        first = await host.run(write("before.txt", "x\n"), text("Before."))
        session = first["session_id"]
        await host.start(step(text("Half "), hold("anew"), text("never")), session_id=session)
        await scripted_model.reached("anew")
        end_left_server(own_launch)
        assert (await host.wait(session))["status"] == "failed"
        earlier = await host.wait(session, message_id=first["message_id"])
        assert (earlier["status"], earlier["text"]) == ("completed", "Before.")
        assert changes(earlier) == {("added", "before.txt", 1, 0)}
        # The bridge has seen the end of the OpenCode that worked on it, and waits for nothing more.
        cut_off = await host.wait(session, wait_seconds=0)
        assert (cut_off["status"], "never finished it" in cut_off["error"]) == ("failed", True)
        after = await host.run(text("After."), session_id=session)
        assert (after["status"], after["text"]) == ("completed", "After.")
    await scripted_model.release("anew")
    assert left_server(own_launch) is None


@pytest.mark.both_generations
async def test_a_run_whose_opencode_was_killed_between_two_steps_has_failed(
    opencode_generation: Generation, scripted_model: ScriptedModel, project: Path, tmp_path: Path
) -> None:
    serve = startable(opencode_generation, tmp_path, scripted_model)
    with serve(tmp_path / "first.log") as server:
        launch = attaching(tmp_path, scripted_model, server, project)
        async with connected(launch) as host:
            session_id = await host.start(write("half.txt", "x\n"), step(hold("between"), text("Never said.")))
            await scripted_model.reached("between")
            broken_off = await host.start(step(text("Half "), hold("half"), text("Never said.")))
            await scripted_model.reached("half")
            kill(server.process)
    with serve(tmp_path / "second.log"):
        async with connected(launch) as host:
            await is_seen_to_have_failed(host, session_id, at_once=opencode_generation == 1)
            stopped = await host.data("opencode_abort", session_id=broken_off)
            assert (stopped["status"], "Nothing was running." in stopped["note"]) == ("failed", True)
            await host.data("opencode_delete_session", session_id=broken_off)
            report = await host.wait(session_id)
            (row,) = (await host.data("opencode_list_sessions"))["sessions"]
    assert (report["status"], row["outcome"]) == ("failed", "failed")


@pytest.mark.both_generations
async def test_a_run_whose_opencode_was_killed_stays_failed_when_its_session_goes_on(
    opencode_generation: Generation, scripted_model: ScriptedModel, project: Path, tmp_path: Path
) -> None:
    serve = startable(opencode_generation, tmp_path, scripted_model)
    with serve(tmp_path / "first.log") as server:
        launch = attaching(tmp_path, scripted_model, server, project)
        async with connected(launch) as host, meanwhile(partial(host.run, bash("touch begun; sleep 60"))) as reports:
            between_steps = await host.run(bash("true"), step(hold("stays"), text("Never said.")), wait_seconds=0)
            await scripted_model.reached("stays")
            await eventually(anyio.Path(project / "begun").exists, seconds=SECONDS)
            kill(server.process)
    assert reports[0]["status"] == "failed"
    killed = [{name: run[name] for name in ("session_id", "message_id")} for run in (between_steps, reports[0])]
    with serve(tmp_path / "second.log"):
        async with connected(launch) as host:
            view = await host.data("opencode_session", session_id=reports[0]["session_id"])
            assert "` was cut off" in view["transcript"]
            for run in killed:
                later = await host.run(text("Gone on."), session_id=run["session_id"])
                assert (later["status"], later["text"]) == ("completed", "Gone on.")
                assert "together with" not in str(later)
            await all_have_ended_unfinished(host, killed)
        async with connected(launch) as host:
            await all_have_ended_unfinished(host, killed)
            for run in killed:
                assert (await host.wait(run["session_id"]))["text"] == "Gone on."


async def all_have_ended_unfinished(host: Host, killed: list[dict[str, str]]) -> None:
    """See that each run is reported as one that OpenCode did not finish, which each call waits ten seconds for."""

    async def look(run: dict[str, str]) -> None:
        report = await host.another().data("opencode_wait", **run)
        assert (report["status"], "never finished it" in report["error"]) == ("failed", True), report

    async with anyio.create_task_group() as tasks:
        for run in killed:
            tasks.start_soon(look, run)


async def is_seen_to_have_failed(host: Host, session_id: str, *, at_once: bool) -> None:
    """Look at a run of an OpenCode that was killed: the process that answers now began after the run.

    OpenCode 2 may resume runs as it starts, so it must have been idle for ten seconds.
    """
    looks = 0

    async def look() -> bool:
        nonlocal looks
        looks += 1
        return (await host.wait(session_id, wait_seconds=0))["status"] == "failed"

    await eventually(look, seconds=40)
    assert not at_once or looks == 1


# The way to OpenCode is broken


@pytest.fixture
async def proxy(opencode_server: OpenCode) -> AsyncGenerator[Proxy]:
    async with proxy_to(opencode_server.url) as between:
        yield between


@pytest.fixture
def proxied(
    proxy: Proxy, scripted_model: ScriptedModel, opencode_server: OpenCode, project: Path, tmp_path: Path
) -> Launch:
    """A bridge that reaches the run's OpenCode through the proxy."""
    return attaching(tmp_path, scripted_model, replace(opencode_server, url=proxy.url), project)


@pytest.mark.both_generations
async def test_a_connection_that_breaks_for_a_moment_is_not_noticed(
    proxied: Launch, proxy: Proxy, scripted_model: ScriptedModel
) -> None:
    answer = step(text("Before. "), hold("moment"), text("After."))
    async with connected(proxied) as host, meanwhile(partial(host.run, answer)) as reports:
        await scripted_model.reached("moment")
        for _ in range(3):
            await proxy.cut()
        await scripted_model.release("moment")
    assert (reports[0]["status"], reports[0]["text"]) == ("completed", "Before. After.")


async def test_a_connection_that_is_refused_for_seconds_ends_no_run(
    proxied: Launch, proxy: Proxy, scripted_model: ScriptedModel
) -> None:
    answer = step(text("Before. "), hold("refused"), text("After."))
    async with connected(proxied) as host, meanwhile(partial(host.run, answer)) as reports:
        await scripted_model.reached("refused")
        await proxy.refuse()
        enough = proxy.connections + ATTEMPTS

        async def is_enough() -> bool:
            return proxy.connections >= enough

        await eventually(is_enough)
        proxy.accept()
        await scripted_model.release("refused")
    assert (reports[0]["status"], reports[0]["text"]) == ("completed", "Before. After.")


@pytest.mark.both_generations
async def test_what_opencode_asked_while_the_connection_was_broken_is_still_asked(
    proxied: Launch, proxy: Proxy, scripted_model: ScriptedModel, opencode_server: OpenCode, project: Path
) -> None:
    answer = step(hold("asked meanwhile"), question("Which?", "Red"))
    async with connected(proxied) as host, backend(opencode_server, project) as opencode:
        session = await host.start(answer, text("Thanks."))
        await scripted_model.reached("asked meanwhile")
        async with meanwhile(partial(host.wait, session)) as reports:
            proxy.stall()
            await scripted_model.release("asked meanwhile")
            await opencode.asked(session, "question")
            await proxy.cut()
            proxy.resume()
    assert reports[0]["status"] == "needs_input"


@pytest.mark.both_generations
async def test_a_prompt_whose_connection_breaks_is_never_sent_twice(
    proxied: Launch, proxy: Proxy, opencode_server: OpenCode, project: Path
) -> None:
    async with connected(proxied) as host:
        session = (await host.run(text("Warm.")))["session_id"]
        async with cut_on_its_way(proxy):
            await host.bridge.call("opencode_run", prompt=script(text("Once.")), session_id=session, wait_seconds=0)
    async with backend(opencode_server, project) as opencode:
        assert await opencode.prompts(session) <= 2
