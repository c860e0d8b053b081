"""The status of the real OpenCode: agents, models, commands and what runs."""

import json
import re
from collections.abc import AsyncGenerator, Generator
from dataclasses import replace
from pathlib import Path

import pytest
from mcp_types import TextResourceContents

from opencode_mcp.opencode.versions import Generation, is_untested
from opencode_mcp.server import uris
from tests.harness.bridges.bridge import open_bridge
from tests.harness.bridges.launch import attaching
from tests.harness.differences import route
from tests.harness.faults.altered import Altered, altered
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.harness.waiting import eventually
from tests.integration.host import Host, Json
from tests.scripted_model.script import hold, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

MODEL_LINE = "  scripted/m1: $1 in, $2 out per million tokens, context 128,000 tokens, variants: "


async def whole_status(host: Host, **arguments: object) -> Json:
    """Return the status once everything could be read in time: a busy machine opens a project slowly."""

    async def look() -> Json:
        status = await host.data("opencode_status", **{"show": "everything"} | arguments)
        return {} if "unread" in status else status

    return await eventually(look, seconds=60)


@pytest.mark.both_generations
async def test_it_reports_the_server_the_project_and_what_can_be_chosen(
    host: Host, workplace: Path, asking: Path, tracked: Path
) -> None:
    status = await whole_status(host)
    assert status["opencode"].count(".") == 2
    assert status["directory"] == str(workplace)
    assert status["allowed_directories"] == [str(workplace), str(asking), str(tracked)]
    assert status["branch"] == "main"
    assert {"build", "plan", "general"} <= set(status["agents"])
    assert all("high" in model.pop("variants") for model in status["models"].values())
    assert status["models"] == {
        "scripted/m1": {"input": 1, "output": 2, "context": 128_000},
        "scripted/m2": {"input": 1, "output": 2, "context": 128_000},
    }
    assert status["default_model"] == "scripted/m1"
    assert status["agents"]["build"]["mode"] == "primary"
    assert status["agents"]["general"]["mode"] == "subagent"
    assert "init" in status["commands"]
    assert {"--permissions human", "--allow session.shell"} <= set(status["settings"])


@pytest.mark.both_generations
async def test_a_summary_is_short_and_says_how_to_see_more(host: Host) -> None:
    await whole_status(host)
    status = await host.data("opencode_status")
    expected = {
        "opencode",
        "generation",
        "directory",
        "allowed_directories",
        "branch",
        "running_sessions",
        "isolated_worktrees",
        "verify_commands",
    }
    expected |= {"tested_with"} if is_untested(status["opencode"], status["generation"]) else set()
    # Another test may have left something asked in the shared project.
    assert set(status) - {"needs_input"} == expected | {"default_model", "models", "agents", "to_restart_opencode"}
    lines = (await host.text("opencode_status")).splitlines()
    assert "  build (primary)" in lines
    assert "  general (subagent)" in lines
    assert any(line.startswith(MODEL_LINE) and "high" in line for line in lines)
    assert "show=agents, models or commands describes each" in lines[-1]


@pytest.mark.both_generations
async def test_each_part_can_be_asked_for_alone_with_a_line_for_each_entry(host: Host) -> None:
    agents, commands, models = [
        await host.text("opencode_status", show=show) for show in ("agents", "commands", "models")
    ]
    assert re.search(r"^  general \(subagent\): \S", agents, re.MULTILINE)
    assert re.search(r"^  init: \S", commands, re.MULTILINE)
    assert re.search(r"^  scripted/m2: \$1 in", models, re.MULTILINE)
    assert "scripted/" not in agents + commands


@pytest.mark.either_era
@pytest.mark.both_generations
async def test_its_text_has_a_line_for_each_fact(host: Host, workplace: Path) -> None:
    await whole_status(host)
    lines = (await host.text("opencode_status")).splitlines()
    assert f"directory: {workplace}" in lines
    assert any(line.startswith(MODEL_LINE) and "high" in line for line in lines)
    assert "branch: main" in lines


@pytest.mark.both_generations
async def test_it_reports_which_files_changed_and_which_sessions_work(
    host: Host, asking: Path, scripted_model: ScriptedModel, era: str
) -> None:
    (asking / f"new-{era}.txt").write_text("x\n", encoding="utf-8")
    gate = f"status {era}"
    session = await host.start(step(hold(gate), text("Done.")), directory=str(asking))
    await scripted_model.reached(gate)
    status = await whole_status(host, directory=str(asking))
    assert f"added new-{era}.txt" in status["changed_files"]
    assert status["running_sessions"].keys() >= {session}
    assert status["running_sessions"][session], "a title, or the first words of the prompt"
    assert f"  {session}: " in (await host.text("opencode_status", directory=str(asking)))
    await scripted_model.release(gate)
    await host.wait(session)
    assert session not in (await whole_status(host, directory=str(asking)))["running_sessions"]


@pytest.mark.both_generations
async def test_it_shows_no_key_of_a_provider(host: Host) -> None:
    # The scripted provider's key is its own name, so it may appear only as that name.
    output = await host.text("opencode_status")
    everything = await host.text("opencode_status", show="everything")
    assert (output + everything).count("scripted") == (output + everything).count("scripted/m")


# What cannot be read


@pytest.fixture(scope="module")
def behind(opencode_server: OpenCode) -> Generator[Altered]:
    """The run's OpenCode, with something changed on the way."""
    with altered(opencode_server.url) as server:
        yield server


@pytest.fixture(scope="module")
async def host_behind(
    behind: Altered,
    tmp_path_factory: pytest.TempPathFactory,
    scripted_model: ScriptedModel,
    opencode_server: OpenCode,
    workplace: Path,
) -> AsyncGenerator[Host]:
    folder = tmp_path_factory.mktemp("behind")
    server = replace(opencode_server, url=behind.url)
    async with open_bridge(attaching(folder, scripted_model, server, workplace)) as bridge:
        yield Host(bridge)


@pytest.fixture
def changed(behind: Altered) -> Generator[Altered]:
    yield behind
    behind.lacks.clear()
    behind.silent.clear()
    behind.version = ""


@pytest.mark.both_generations
async def test_what_is_not_read_in_time_is_named_and_the_rest_is_reported(
    host_behind: Host, changed: Altered, workplace: Path, opencode_generation: Generation
) -> None:
    await whole_status(host_behind)
    changed.silent |= {route(path, opencode_generation) for path in ("/vcs/status", "/mcp")}
    status = await host_behind.data("opencode_status", show="everything")
    unread = {field: entry["reason"] for entry in status["unread"] for field in entry["fields"]}
    assert unread["changed_files"] == unread["mcp_servers"] == "OpenCode did not answer within 4 s."
    assert status["directory"] == str(workplace)
    assert not status.keys() & unread.keys()
    output = await host_behind.text("opencode_status", show="everything")
    assert "not read: " in output
    assert "(OpenCode did not answer within 4 s.)" in output


async def test_what_this_version_does_not_know_is_named_and_the_rest_is_reported(
    host_behind: Host, changed: Altered
) -> None:
    await whole_status(host_behind)
    changed.lacks |= {"/vcs/status", "/command"}
    changed.version = "1.999.0"

    async def look() -> Json:
        status = await host_behind.data("opencode_status", show="everything")
        return status if "models" in status and "tested_with" in status else {}

    status = await eventually(look, seconds=60)
    reasons = {field: entry["reason"] for entry in status["unread"] for field in entry["fields"]}
    assert "does not know vcs.status" in reasons["changed_files"]
    assert "does not know command.list" in reasons["commands"]
    assert list(status["models"]) == ["scripted/m1", "scripted/m2"]
    assert status["tested_with"].endswith("; this one is newer")


@pytest.mark.both_generations
async def test_the_project_at_its_address_names_what_could_not_be_read_too(
    host_behind: Host, changed: Altered, opencode_generation: Generation
) -> None:
    changed.silent |= {route("/vcs/status", opencode_generation)}
    project = await host_behind.bridge.client.read_resource(uris.PROJECT)
    content = project.contents[0]
    assert isinstance(content, TextResourceContents)
    unread = json.loads(content.text)["unread"]
    assert "changed_files" in {field for entry in unread for field in entry["fields"]}


@pytest.mark.both_generations
async def test_an_opencode_that_answers_slowly_is_reported_by_what_is_known_without_it(
    host_behind: Host, changed: Altered, workplace: Path, opencode_generation: Generation
) -> None:
    await whole_status(host_behind)
    changed.silent |= {route(path, opencode_generation) for path in ("/global/health", "/vcs")}
    status = await host_behind.data("opencode_status")
    assert {"opencode", "branch"} <= {field for entry in status["unread"] for field in entry["fields"]}
    assert status["directory"] == str(workplace)


@pytest.mark.both_generations
async def test_an_opencode_that_became_something_else_is_no_status(
    host_behind: Host, changed: Altered, opencode_generation: Generation
) -> None:
    await whole_status(host_behind)
    changed.lacks |= {route(path, opencode_generation) for path in ("/global/health", "/path")}
    assert "is not an OpenCode server" in await host_behind.error("opencode_status")


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("opencode.json", '{"model": 5}', "model: Expected string"),
        (".opencode/agent/rev.md", "---\nmode: wrong\n---\nx", "mode: Expected"),
    ],
)
async def test_a_configuration_file_that_opencode_cannot_use_is_the_reason(
    scripted_model: ScriptedModel, opencode_server: OpenCode, tmp_path: Path, file: str, content: str, said: str
) -> None:
    place = tmp_path / "broken" / file
    place.parent.mkdir(parents=True)
    place.write_text(content, encoding="utf-8")
    launch = attaching(tmp_path, scripted_model, opencode_server, tmp_path / "broken")
    async with open_bridge(launch) as bridge:
        host = Host(bridge)
        refused = await host.error("opencode_run", prompt="x")
        read = await host.error("opencode_read_operation", operation="config.get")
        status = await host.data("opencode_status")
    for error in (refused, read):
        assert f"OpenCode cannot use the configuration file {place}: {said}" in error
        assert "Nothing is wrong with the call" in error
        assert "Correct the argument" not in error
    assert status["unread"]
    assert status["directory"] == str(tmp_path / "broken")
