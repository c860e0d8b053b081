"""The main job on the oldest OpenCode that the bridge works with."""

from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from opencode_mcp.opencode.versions import OLDEST
from tests.harness.bridges.bridge import Bridge, open_bridge
from tests.harness.bridges.launch import attaching, end_left_server, starting
from tests.harness.processes.isolation import environment
from tests.harness.project import configure, make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode, oldest_binary, running_opencode
from tests.integration.host import Host, changes
from tests.scripted_model.script import bash, edit, hold, question, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

ASKS: dict[str, object] = {"permission": {"bash": "ask"}}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = make_project(tmp_path_factory.mktemp("oldest") / "project")
    configure(directory, ASKS)
    return directory


@pytest.fixture(scope="module")
def oldest_opencode(tmp_path_factory: pytest.TempPathFactory, scripted_model: ScriptedModel) -> Iterator[OpenCode]:
    folder = tmp_path_factory.mktemp("oldest")
    variables = environment(folder, scripted_model.url)
    with running_opencode(variables, folder / "opencode.log", executable=oldest_binary()) as server:
        yield server


@pytest.fixture(scope="module")
async def oldest_bridge(
    tmp_path_factory: pytest.TempPathFactory, scripted_model: ScriptedModel, oldest_opencode: OpenCode, project: Path
) -> AsyncGenerator[Bridge]:
    folder = tmp_path_factory.mktemp("bridge")
    launch = attaching(folder, scripted_model, oldest_opencode, project).with_flags("--permissions", "agent")
    async with open_bridge(launch) as bridge:
        yield bridge


@pytest.fixture
def host(oldest_bridge: Bridge) -> Host:
    return Host(Bridge(oldest_bridge.client, oldest_bridge.launch))


async def test_the_status_names_the_version_and_what_it_cannot_determine(host: Host) -> None:
    status = await host.data("opencode_status", show="everything")
    assert status["opencode"].startswith(f"{OLDEST}.")
    (unread,) = status["unread"]
    assert unread["fields"] == ["changed_files"], status
    assert "does not know vcs.status" in unread["reason"]
    assert status["branch"] == "main"


async def test_a_run_asks_is_answered_edits_and_is_read_again(host: Host, project: Path) -> None:
    report = await host.run(
        step(bash("echo from the shell")),
        step(edit("README.md", "# Sample", "# Changed")),
        text("All done."),
    )
    assert report["status"] == "needs_input", report
    (request,) = report["pending"]
    answered = await host.data("opencode_reply_permission", request_id=request["request_id"], reply="once")
    assert (answered["status"], answered["text"]) == ("completed", "All done."), answered
    assert ("modified", "README.md", 1, 1) in changes(answered)
    assert (project / "README.md").read_text(encoding="utf-8").startswith("# Changed")
    session = await host.data("opencode_session", session_id=report["session_id"], show="everything")
    assert "from the shell" in session["transcript"]
    assert "+# Changed" in await host.text("opencode_diff", session_id=report["session_id"])
    listed = await host.data("opencode_list_sessions")
    assert report["session_id"] in [row["session_id"] for row in listed["sessions"]]


async def test_a_question_is_answered(host: Host) -> None:
    report = await host.run(step(question("Which?", "Red", "Blue")), text("It is done."))
    assert report["status"] == "needs_input", report
    (request,) = report["pending"]
    answered = await host.data("opencode_reply_question", request_id=request["request_id"], answers=[["Red"]])
    assert (answered["status"], answered["text"]) == ("completed", "It is done."), answered


async def test_a_run_is_stopped_and_its_session_goes_on(host: Host) -> None:
    session_id = await host.start(step(text("Thinking"), hold("oldest")), text("Never said."))
    stopped = await host.data("opencode_abort", session_id=session_id)
    assert stopped["status"] == "aborted", stopped
    report = await host.run(text("On again."), session_id=session_id)
    assert (report["status"], report["text"]) == ("completed", "On again.")


async def test_an_operation_is_read(host: Host) -> None:
    health = await host.data("opencode_read_operation", operation="global.health")
    assert cast("dict[str, Any]", health["reply"])["version"].startswith(f"{OLDEST}.")


async def test_a_bridge_starts_it_by_itself(tmp_path: Path, scripted_model: ScriptedModel) -> None:
    project = make_project(tmp_path / "project")
    launch = starting(tmp_path, scripted_model, project).within(OPENCODE_MCP_OPENCODE=str(oldest_binary()))
    try:
        async with open_bridge(launch) as bridge:
            report = await Host(bridge).run(text("Started."))
            assert (report["status"], report["text"]) == ("completed", "Started.")
    finally:
        end_left_server(launch)
